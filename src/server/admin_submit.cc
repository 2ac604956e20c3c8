// Mail of local programs: the envelope as they give it, the message through the same intake, envelope and store as one that
// comes by SMTP. The recipients are looked at before any octet is taken; if one of them is refused, so is the message, and
// the answer says which: who sends by a program hears of it at once.
#include <algorithm>

#include "base/journey.h"
#include "server/admin_call.h"
#include "server/admin_names.h"
#include "server/message_intake.h"
#include "server/smtp_envelope.h"
#include "server/trace.h"
#include "wire/text/line_encoder.h"

namespace glasspost::server {
namespace {

bool IsAscii(Octets text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

}  // namespace

class Submission {
 public:
  explicit Submission(AdminCall& call)
      : call_(call), context_(call.context_), peer_(call.peer_), settings_(call.context_.settings()) {}

  net::Task<json::object> Run() {
    auto refusal = co_await TakeEnvelope();
    if (refusal) co_return *std::move(refusal);
    const bool go_on = co_await peer_.GoAhead();
    if (!go_on) co_return Gone();
    intake_.emplace(peer_.waiter());
    const Timestamp now = context_.clock.Now();
    auto receiver = context_.store.Receive(now);
    id_ = store::QueueIdText(receiver->id());
    intake_->Begin(std::move(receiver), Received(now), {DateField(now), MessageIdField(id_, settings_->host)});
    const bool whole = co_await TakeMessage();
    if (!whole) co_return Gone();
    auto result = co_await Commit();
    co_return result;
  }

  // Of the "recipient" request, too: nothing if it is taken.
  net::Task<std::optional<json::object>> AddRecipient(std::string text) {
    if (text.find('@') == std::string::npos) text += "@" + DefaultDomain();
    const auto name = ParseAddressName(text);
    if (!name) co_return Refused("bad-recipient", name.error().Text(), text);
    auto known = context_.recipients.Find(*name);
    if (!known) {
      const auto found =
          co_await call_.Call<RecipientCache::Shared>([&](auto d) { context_.recipients.Ask(*name, std::move(d)); });
      if (!found) co_return AdminCall::No(found.error());
      known = *found;
    }
    using Kind = store::Resolution::Kind;
    if (known->kind == Kind::kUnknown || (known->kind == Kind::kFound && known->mailboxes.empty() && known->forwards.empty()))
      co_return Refused("unknown-recipient", "there is no user " + name->Text(), text);
    for (const store::LocalTarget& target : known->mailboxes)
      if (target.quota != 0 && target.used >= target.quota) co_return Refused("over-quota", "the mailbox is full: " + text, text);
    EnvelopeRecipient recipient;
    recipient.path = PathText(*name);
    recipient.domain = name->domain;
    recipient.notify = static_cast<std::uint8_t>(call_.Number("notify") & 0xf);
    // To be told of the delivery is the queue's business (RFC 3461 §4.1).
    recipient.elsewhere = known->kind == Kind::kElsewhere || (recipient.notify & 2) != 0;
    if (!recipient.elsewhere) {
      recipient.mailboxes = known->mailboxes;
      recipient.forwards = known->forwards;
    }
    if (envelope_.targets() + recipient.mailboxes.size() + recipient.forwards.size() + 1 > store::MessageLimits::kRecipients)
      co_return Refused("too-large", "too many recipients behind these addresses", text);
    smtputf8_ |= !IsAscii(recipient.path);
    envelope_.Add(std::move(recipient));
    co_return std::nullopt;
  }

 private:
  static json::object Gone() { return AdminCall::No("closed", "the message did not come to its end"); }
  static json::object Refused(std::string_view fault, Octets error, Octets recipient) {
    json::object answer = AdminCall::No(fault, error);
    answer["recipient"] = JsonText(recipient);
    return answer;
  }
  const std::string& DefaultDomain() const {
    return settings_->default_domain.empty() ? settings_->host : settings_->default_domain;
  }

  net::Task<std::optional<json::object>> TakeEnvelope() {
    std::string from = call_.Text("from");
    if (!from.empty()) {
      if (from.find('@') == std::string::npos) from += "@" + DefaultDomain();
      const auto name = ParseAddressName(from);
      if (!name) co_return AdminCall::No("bad-sender", name.error().Text());
      from = PathText(*name);
    }
    smtp::MailParameters parameters;
    const std::string envid = call_.Text("envid");
    const std::string ret = call_.Text("ret");
    parameters.envid = envid;
    parameters.ret = ret == "full" ? smtp::Return::kFull : ret == "hdrs" ? smtp::Return::kHeaders : smtp::Return::kUnsaid;
    envelope_.Begin(from, parameters);
    smtputf8_ = !IsAscii(from);
    const std::vector<std::string> to = TextsIn(call_.request_, "to");
    if (to.empty()) co_return AdminCall::No("invalid", "no recipient is given");
    if (to.size() > AdminLimits::kRecipients) co_return AdminCall::No("too-large", "too many recipients");
    recipients_ = to.size();
    for (const std::string& recipient : to) {
      auto refusal = co_await AddRecipient(recipient);
      if (refusal) co_return refusal;
    }
    co_return std::nullopt;
  }

  std::string Received(Timestamp now) const {
    LocalReceivedFacts facts;
    facts.user = peer_.uid();
    facts.host = settings_->host;
    facts.queue_id = id_;
    facts.time = now;
    if (recipients_ == 1) facts.recipient = envelope_.recipients().front().path;
    return LocalReceivedField(facts);
  }

  // To its end also where it will not be taken: who sends does not listen before.
  net::Task<bool> TakeMessage() {
    text::LineEncoder encoder(false);  // local programs end lines as they do here: LF
    std::string lines;
    for (;;) {
      const std::optional<std::string> octets = co_await peer_.Receive();
      if (!octets) co_return false;
      lines.clear();
      if (octets->empty()) {
        encoder.Finish(lines);
      } else {
        encoder.Append(lines, *octets);
      }
      octets_ += lines.size();
      eight_bit_ |= !IsAscii(lines);
      if (octets_ <= settings_->message_octets && !intake_->failure()) {
        intake_->Take(lines);
        if (octets->empty()) intake_->Finish();
        if (intake_->owed()) co_await intake_->Settle();
      }
      if (octets->empty()) co_return true;
    }
  }

  net::Task<json::object> Commit() {
    if (octets_ > settings_->message_octets) co_return AdminCall::No("too-large", "the message is too long");
    if (intake_->failure()) co_return AdminCall::No(*intake_->failure());
    if (intake_->header_too_long()) co_return AdminCall::No("too-large", "the message's header is too long");
    if (CountReceived(intake_->header()) > settings_->received_limit + 1)  // our own is among them
      co_return AdminCall::No("loop", "the message goes in a loop: it has passed too many hosts");
    store::Plan plan = envelope_.MakePlan(context_.clock.Now(), eight_bit_, {});
    plan.envelope.smtputf8 = smtputf8_ || !IsAscii(intake_->header());
    SmtpEnvelope::MarkUtf8(plan, intake_->header());
    TellJourney(plan);
    const bool entries = !plan.entries.empty();
    const std::unique_ptr<store::Receiver> receiver = intake_->TakeReceiver();
    const auto done = co_await call_.Call<store::Accepted>([&](auto d) { receiver->Commit(std::move(plan), std::move(d)); });
    if (!done) co_return AdminCall::No(done.error());
    if (entries) context_.queue_changed();
    NoteAccepted();
    json::object answer = AdminCall::Yes();
    answer["id"] = JsonText(id_);
    co_return answer;
  }

  void NoteAccepted() const {
    if (context_.events == nullptr) return;
    context_.events->Note(Event::kAccepted, 0,
                          {{"id", id_},
                           {"from", envelope_.reverse_path()},
                           {"to", envelope_.recipients().front().path},
                           {"recipients", std::to_string(recipients_)},
                           {"octets", std::to_string(octets_)},
                           {"uid", std::to_string(peer_.uid())}});
  }

  void TellJourney(store::Plan& plan) {
    store::JourneyEvent event;
    event.time = plan.arrived;
    event.kind = static_cast<int>(JourneyKind::kAccepted);
    event.sender = envelope_.reverse_path();
    event.message_id = intake_->message_id();
    event.digest = intake_->journey_id();
    AppendDetail(event.detail, "peer", "uid " + std::to_string(peer_.uid()));
    AppendDetail(event.detail, "with", "sendmail");
    AppendDetail(event.detail, "octets", std::to_string(octets_));
    plan.events.insert(plan.events.begin(), std::move(event));
  }

  AdminCall& call_;
  AdminContext& context_;
  AdminPeer& peer_;
  const std::shared_ptr<const AdminSettings> settings_;
  SmtpEnvelope envelope_;
  std::optional<MessageIntake> intake_;
  std::string id_;
  std::size_t recipients_ = 0;
  std::uint64_t octets_ = 0;
  bool eight_bit_ = false;
  bool smtputf8_ = false;
};

AdminCall::Reply AdminCall::Submit() {
  Submission submission(*this);
  auto result = co_await submission.Run();
  co_return result;
}

AdminCall::Reply AdminCall::Recipient() {
  Submission submission(*this);
  auto refusal = co_await submission.AddRecipient(Text("address"));
  if (refusal) co_return *std::move(refusal);
  co_return Yes();
}

}  // namespace glasspost::server
