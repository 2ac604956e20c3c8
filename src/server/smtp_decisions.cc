// The decisions: who may send what to whom, and what becomes of it.
#include <algorithm>

#include "base/ascii.h"
#include "server/room_policy.h"
#include "server/smtp_connection.h"
#include "server/trace.h"

namespace glasspost::server {
namespace {

using smtp::Answer;

constexpr std::string_view kShuttingDown = "4.3.2";  // RFC 3463 §3.4: system not accepting network messages

std::uint8_t NotifyBits(const smtp::Notify& n) {
  return static_cast<std::uint8_t>((n.never ? 1 : 0) | (n.success ? 2 : 0) | (n.failure ? 4 : 0) | (n.delay ? 8 : 0));
}

// As the client wrote it, but for a source route, which is to be ignored (RFC 5321 §3.3, appendix C).
std::string WithoutRoute(const smtp::Path& path) {
  if (path.source_route.empty()) return std::string(path.text);
  return std::string(path.local_part) + "@" + std::string(path.domain);
}

}  // namespace

// All policies in turn; what they want in the header is kept.
template <class Step>
net::Task<Answer> SmtpConnection::AskPolicies(Step step) {
  for (const std::unique_ptr<Policy>& policy : service_->policies) {
    net::Answer<PolicyVerdict> answer(waiter_);
    PolicyLater later = answer.Callback();
    PolicyDecision decision = step(*policy, later);
    if (!decision) {
      co_await waiter_.Wait();
      decision = answer.value();
      if (!decision) co_return Answer::No(451, "4.3.0", "Policy is not available");
    }
    for (const std::string& line : decision->header_lines) header_lines_ += line;
    if (!decision->answer.yes()) co_return std::move(decision->answer);
  }
  co_return Answer{};
}

smtp::Decision SmtpConnection::OnConnect() {
  if (!service_->Asks(PolicyStep::kConnect)) return Answer{};
  return Ask(Question::kConnect);
}

net::Task<Answer> SmtpConnection::DecideConnect() {
  const Answer answer = co_await AskPolicies([&](Policy& p, PolicyLater& later) { return p.AtConnect(facts_, later); });
  if (!answer.yes()) NoteRefusal("connect", answer);
  co_return answer;
}

smtp::Decision SmtpConnection::OnHello(const smtp::Hello& hello) {
  facts_.hello = hello.name;
  if (!service_->Asks(PolicyStep::kHello)) return Answer{};
  return Ask(Question::kHello);
}

net::Task<Answer> SmtpConnection::DecideHello() {
  const Answer answer = co_await AskPolicies([&](Policy& p, PolicyLater& later) { return p.AtHello(facts_, later); });
  if (!answer.yes()) NoteRefusal("hello", answer);
  co_return answer;
}

smtp::Decision SmtpConnection::OnMail(const smtp::Mail& mail) {
  header_lines_.clear();
  facts_.recipients.clear();
  facts_.reverse_path = WithoutRoute(*mail.path);
  facts_.size = mail.parameters.size.value_or(0);
  envelope_.Begin(facts_.reverse_path, mail.parameters);
  recipient_name_ = AddressOf(*mail.path, service_->default_domain);
  facts_.sender = mail.path->null() ? std::string() : recipient_name_.Text();
  const bool check = service_->check_sender && !facts_.user.empty() && !mail.path->null();
  if (!service_->Asks(PolicyStep::kMail) && !check) return Answer{};
  return Ask(Question::kMail);
}

net::Task<Answer> SmtpConnection::DecideMail() {
  Answer answer;
  if (service_->check_sender && !facts_.user.empty() && !facts_.reverse_path.empty()) {
    const bool may = co_await MayUse(recipient_name_);
    if (!may) answer = Answer::No(553, "5.7.1", "Not your address: you are logged in as " + facts_.user);
  }
  if (answer.yes()) answer = co_await AskPolicies([&](Policy& p, PolicyLater& later) { return p.AtMail(facts_, later); });
  if (!answer.yes()) NoteRefusal("mail", answer);
  co_return answer;
}

// It leads to the account: its own name, a tag, an alias.
net::Task<bool> SmtpConnection::MayUse(store::AddressName sender) {
  auto resolution = context_.recipients.Find(sender);
  if (!resolution) {
    const auto found = co_await net::Await<store::Result<RecipientCache::Shared>>(
        waiter_, [&](auto done) { context_.recipients.Ask(std::move(sender), std::move(done)); });
    if (!found || !*found) co_return false;
    resolution = **found;
  }
  co_return std::ranges::any_of(resolution->mailboxes, [&](const auto& m) { return m.account == facts_.account; });
}

smtp::Decision SmtpConnection::OnRecipient(const smtp::Recipient& recipient) {
  recipient_name_ = AddressOf(
      *recipient.path, service_->default_domain,
      facts_.server.address.is_v4() ? "[" + facts_.server.address.Text() + "]" : "[IPv6:" + facts_.server.address.Text() + "]");
  recipient_ = std::make_unique<EnvelopeRecipient>();
  recipient_->path = recipient.path->domain.empty() ? PathText(recipient_name_) : WithoutRoute(*recipient.path);
  recipient_->domain = recipient_name_.domain;
  recipient_->orcpt = recipient.parameters.orcpt;
  recipient_->notify = NotifyBits(recipient.parameters.notify);
  if (!service_->Asks(PolicyStep::kRecipient)) {
    if (const auto known = context_.recipients.Find(recipient_name_)) return Place(*known);
  }
  return Ask(Question::kRecipient);
}

net::Task<Answer> SmtpConnection::DecideRecipient() {
  const std::string address = recipient_name_.Text();
  Answer answer = co_await AskPolicies([&](Policy& p, PolicyLater& later) { return p.AtRecipient(facts_, address, later); });
  if (answer.yes()) {
    auto resolution = context_.recipients.Find(recipient_name_);
    if (!resolution) {
      const auto found = co_await net::Await<store::Result<RecipientCache::Shared>>(
          waiter_, [&](auto done) { context_.recipients.Ask(recipient_name_, std::move(done)); });
      if (!found) co_return Answer::No(451, "4.3.0", "Shutting down");
      if (!*found) co_return FaultAnswer(found->error());
      resolution = **found;
    }
    answer = *Place(*resolution);
  } else {
    NoteRefusal("recipient", answer);
  }
  co_return answer;
}

// Where the recipient's mail goes, or why nowhere.
std::optional<Answer> SmtpConnection::Place(const store::Resolution& resolution) {
  using Kind = store::Resolution::Kind;
  const auto refuse = [&](Answer answer) {
    NoteRefusal("recipient", answer);
    recipient_.reset();
    return answer;
  };
  const bool may_relay = !facts_.user.empty() || facts_.relay_network;
  if (submission() && service_->session.require_auth && facts_.user.empty())
    return refuse(Answer::No(530, "5.7.0", "Authentication required"));
  if (resolution.kind == Kind::kElsewhere) {
    if (!may_relay) return refuse(Answer::No(550, "5.7.1", "Relaying denied: <" + recipient_->path + "> is not of this host"));
    recipient_->elsewhere = true;
  } else if (resolution.kind == Kind::kUnknown || (resolution.mailboxes.empty() && resolution.forwards.empty())) {
    return refuse(Answer::No(550, "5.1.1", "<" + recipient_->path + "> is not known here"));
  }
  for (const store::LocalTarget& target : resolution.mailboxes) {
    if (target.quota != 0 && target.used + envelope_.size() >= target.quota) return refuse(QuotaAnswer());
  }
  // Someone wants to hear of the delivery (RFC 3461 §4.1): the queue's business.
  recipient_->mailboxes = resolution.mailboxes;
  recipient_->forwards = resolution.forwards;
  if ((recipient_->notify & 2) != 0 && !recipient_->elsewhere) {
    recipient_->mailboxes.clear();
    recipient_->forwards.clear();
    recipient_->elsewhere = true;
  }
  const std::size_t more = recipient_->mailboxes.size() + recipient_->forwards.size() + 1;
  if (envelope_.targets() + more > store::MessageLimits::kRecipients)
    return refuse(Answer::No(452, "4.5.3", "Too many recipients behind these addresses"));
  facts_.recipients.push_back(recipient_->path);
  envelope_.Add(std::move(*recipient_));
  recipient_.reset();
  return Answer{};
}

smtp::Decision SmtpConnection::OnMessageStart(bool) {
  if (!intake_) intake_ = std::make_unique<MessageIntake>(waiter_);
  const Timestamp now = stream_.clock().Now();
  auto receiver = context_.store.Receive(now);
  const std::string id = store::QueueIdText(receiver->id());
  const std::string tls = TlsText();
  ReceivedFacts received;
  received.hello = session_.hello();
  received.client = facts_.client.address;
  received.host = service_->session.host;
  received.with = session_.with_protocol();
  received.tls = tls;
  received.queue_id = id;
  if (facts_.recipients.size() == 1) received.recipient = facts_.recipients.front();
  received.time = now;
  MessageIntake::Missing missing;
  if (submission()) missing = {DateField(now), MessageIdField(id, service_->session.host)};
  intake_->Begin(std::move(receiver), ReceivedField(received), std::move(missing));
  return Answer{};
}

void SmtpConnection::OnMessageOctets(Octets octets) {
  intake_->Take(octets);
  if (intake_->owed()) session_.Hold();
}

smtp::Decision SmtpConnection::OnMessageEnd(const smtp::Content& content) {
  content_ = content;
  return Ask(Question::kEnd);
}

net::Task<Answer> SmtpConnection::DecideEnd() {
  intake_->Finish();
  co_await intake_->Settle();
  Answer answer;
  if (intake_->failure()) {
    answer = FaultAnswer(*intake_->failure());
  } else if (intake_->header_too_long()) {
    answer = Answer::No(552, "5.3.4", "The message's header is too long");
  } else if (CountReceived(intake_->header()) > service_->received_limit + 1) {  // our own is among them
    answer = Answer::No(554, "5.4.6", "Too many hops: the message goes in a loop");
  } else {
    answer = co_await AskPolicies(
        [&](Policy& p, PolicyLater& later) { return p.AtEnd(facts_, intake_->header(), content_.octets, later); });
  }
  if (answer.yes() && !envelope_.MakeRoom(content_.octets)) answer = QuotaAnswer();
  if (!answer.yes()) {
    NoteRefusal("end of data", answer);
    intake_->Abandon();
    envelope_.Clear();
    co_return answer;
  }
  store::Plan plan = envelope_.MakePlan(stream_.clock().Now(), content_.eight_bit, header_lines_);
  SmtpEnvelope::MarkUtf8(plan, intake_->header());
  TellJourney(plan);
  const bool entries = !plan.entries.empty();
  const std::unique_ptr<store::Receiver> receiver = intake_->TakeReceiver();
  const std::string id = store::QueueIdText(receiver->id());
  const auto committed = co_await net::Await<store::Result<store::Accepted>>(
      waiter_, [&](auto done) { receiver->Commit(std::move(plan), std::move(done)); });
  intake_->Release();
  if (!committed) co_return Answer::No(451, "4.3.0", "Shutting down");
  if (!*committed) {
    answer = FaultAnswer(committed->error());
    NoteRefusal("end of data", answer);
    envelope_.Clear();
    co_return answer;
  }
  if (entries) context_.queued();
  context_.events.Note(Event::kAccepted, facts_.conversation,
                       {{"id", id},
                        {"from", facts_.reverse_path},
                        {"to", facts_.recipients.front()},
                        {"recipients", std::to_string(facts_.recipients.size())},
                        {"octets", std::to_string(content_.octets)}});
  envelope_.Clear();
  co_return Answer::Yes("Ok: queued as " + id);
}

// The events of a message that is accepted: this one has the keys by which its journey is found and joined.
void SmtpConnection::TellJourney(store::Plan& plan) {
  store::JourneyEvent event;
  event.time = plan.arrived;
  event.kind = static_cast<int>(JourneyKind::kAccepted);
  event.conversation = facts_.conversation;
  event.sender = facts_.reverse_path;
  event.message_id = intake_->message_id();
  event.digest = intake_->journey_id();
  AppendDetail(event.detail, "peer", facts_.client.Text());
  AppendDetail(event.detail, "helo", session_.hello());
  AppendDetail(event.detail, "with", session_.with_protocol());
  if (!facts_.user.empty()) AppendDetail(event.detail, "user", facts_.user);
  AppendDetail(event.detail, "octets", std::to_string(content_.octets));
  for (store::JourneyEvent& e : plan.events) e.conversation = facts_.conversation;
  plan.events.insert(plan.events.begin(), std::move(event));
}

void SmtpConnection::OnReset(smtp::Reset why) {
  if (intake_ && intake_->open()) intake_->Abandon();
  envelope_.Clear();
  facts_.reverse_path.clear();
  facts_.sender.clear();
  facts_.recipients.clear();
  header_lines_.clear();
  if (why == smtp::Reset::kTls) facts_.user.clear();
}

void SmtpConnection::OnTooManyRecipients(const Answer& said) { NoteRefusal("recipient", said); }

void SmtpConnection::OnEnded(const Answer& why) {
  if (why.enhanced == kShuttingDown) return;  // of the server's end there is an event already
  context_.events.Note(Event::kEnded, facts_.conversation,
                       {{"peer", facts_.client.Text()},
                        {"user", facts_.user},
                        {"from", facts_.reverse_path},
                        {"reply", std::to_string(why.code) + " " + why.enhanced + " " + why.text}});
}

smtp::Decision SmtpConnection::OnPassword(Octets user, Octets password) {
  user_ = user;
  password_ = password;
  return Ask(Question::kPassword);
}

net::Task<Answer> SmtpConnection::DecidePassword() {
  const auto result = co_await net::Await<LoginResult>(waiter_, [&](auto done) {
    context_.authenticator.CheckPassword(user_, std::exchange(password_, {}), facts_.client.address, std::move(done));
  });
  if (!result) co_return Answer::No(454, "4.7.0", "Temporary authentication failure");
  const Answer answer = co_await LogIn(*result);
  co_return answer;
}

// He is logged in when the policies, too, have said yes.
net::Task<Answer> SmtpConnection::LogIn(LoginResult result) {
  if (result.kind != LoginResult::Kind::kAccepted) co_return LoginRefusal(result.kind);
  SmtpFacts facts = facts_;
  facts.user = result.name.Text();
  facts.account = result.account;
  const Answer answer = co_await AskPolicies([&](Policy& p, PolicyLater& later) { return p.AtAuth(facts, later); });
  if (answer.yes()) {
    facts_ = std::move(facts);
    context_.events.Note(Event::kLogin, facts_.conversation, {{"user", facts_.user}, {"peer", facts_.client.Text()}});
  } else {
    NoteRefusal("auth", answer);
  }
  co_return answer;
}

Answer SmtpConnection::LoginRefusal(LoginResult::Kind kind) const {
  using Kind = LoginResult::Kind;
  context_.events.Note(Event::kLoginFailed, facts_.conversation, {{"user", user_}, {"peer", facts_.client.Text()}});
  if (kind == Kind::kTryLater) return Answer::No(454, "4.7.0", "Temporary authentication failure");
  if (kind == Kind::kTooOften) return Answer::No(421, "4.7.0", service_->session.host + " Too many failed logins, closing");
  return Answer{535, {}, {}};
}

std::optional<std::vector<std::string>> SmtpConnection::OnVerifiers(Octets user) {
  user_ = user;
  Ask(Question::kVerifiers);
  return std::nullopt;
}

net::Task<void> SmtpConnection::FindVerifiers() {
  auto found = co_await net::Await<FoundVerifiers>(
      waiter_, [&](auto done) { context_.authenticator.FindVerifiers(user_, facts_.client.address, std::move(done)); });
  found_ = found ? std::move(*found) : FoundVerifiers{};
}

bool SmtpConnection::MayWelcome() { return !context_.authenticator.Blocked(facts_.client.address); }

smtp::Decision SmtpConnection::OnProof(Octets user, bool good) {
  user_ = user;
  proof_ = good;
  return Ask(Question::kProof);
}

net::Task<Answer> SmtpConnection::DecideProof() {
  LoginResult result;
  result.kind = context_.authenticator.NoteProof(facts_.client.address, proof_);
  result.account = found_.account;
  result.name = found_.name;
  found_ = {};
  const Answer answer = co_await LogIn(std::move(result));
  co_return answer;
}

Answer SmtpConnection::QuotaAnswer() const {
  return service_->quota_permanent ? Answer::No(552, "5.2.2", "The mailbox is full")
                                   : Answer::No(452, "4.2.2", "The mailbox is full");
}

Answer SmtpConnection::FaultAnswer(const store::Failure& failure) const {
  if (failure.fault == store::Fault::kOverQuota) return QuotaAnswer();
  context_.events.Note(Event::kStoreFailed, facts_.conversation, {{"why", failure.text}});
  if (failure.fault == store::Fault::kFull) return NoRoom();
  if (failure.fault == store::Fault::kTooLarge) return Answer::No(552, "5.3.4", "The message is too large");
  return Answer::No(451, "4.3.0", "The message cannot be stored now");
}

void SmtpConnection::NoteRefusal(std::string_view stage, const Answer& answer) {
  context_.events.Note(answer.code / 100 == 4 ? Event::kDeferred : Event::kRefused, facts_.conversation,
                       {{"stage", stage},
                        {"peer", facts_.client.Text()},
                        {"from", facts_.reverse_path},
                        {"to", recipient_ ? Octets(recipient_->path) : Octets()},
                        {"reply", std::to_string(answer.code) + " " + answer.enhanced + " " + answer.text}});
}

}  // namespace glasspost::server
