#include "cli/mail_sender.h"

#include <sysexits.h>

#include <algorithm>
#include <map>
#include <utility>

#include "agent/connect.h"
#include "net/host_name.h"

namespace glasspost::cli {

using smtp::ClientOptions;
using smtp::Outcome;
using Kind = smtp::Outcome::Kind;

namespace {

// Counts what is drawn, for the progress bar.
class Watched final : public smtp::MessageSource {
 public:
  Watched(Outgoing& message, ProgressBar* bar) : source_(message), size_(message.size), bar_(bar) {}
  Piece Read() override {
    const Piece piece = source_.Read();
    drawn_ += piece.octets.size();
    if (bar_ != nullptr) bar_->Show(drawn_, size_);
    return piece;
  }

 private:
  OutgoingSource source_;
  const std::uint64_t size_;
  ProgressBar* bar_;
  std::uint64_t drawn_ = 0;
};

// A message made ready for the session. Stays where it is: the parts point at each other.
struct Ready {
  Ready(Outgoing& message, const SendingOptions& options, ProgressBar* bar, const std::vector<std::size_t>* only)
      : source(message, bar) {
    const auto add = [&](const mime::Mailbox& mailbox) {
      recipients.push_back({.path = mailbox.address, .notify = options.notify});
    };
    if (only == nullptr) {
      std::ranges::for_each(message.recipients, add);
    } else {
      for (const std::size_t i : *only) add(message.recipients[i]);
    }
    out.reverse_path = message.reverse_path;
    out.recipients = recipients;
    out.source = &source;
    out.size = message.size;
    out.eight_bit = message.eight_bit;
    out.smtputf8 = message.utf8;
    out.ret = options.ret;
    out.envid = options.envid;
  }
  Ready(const Ready&) = delete;

  Watched source;
  std::vector<smtp::ClientRecipient> recipients;
  smtp::ClientMessage out;
};

Outcome LocalOutcome(std::string text) {
  Outcome outcome;
  outcome.local = true;
  outcome.text = std::move(text);
  return outcome;
}

constexpr const char* kInterrupted = "Interrupted";

// What the session takes for a lost connection, we have ended.
void SayInterrupted(std::vector<Outcome>& outcomes) {
  for (Outcome& outcome : outcomes)
    if (outcome.local && outcome.kind == Kind::kDeferred) outcome.text = kInterrupted;
}

// The connection went, not the message: another one may take it.
bool ConnectionFailed(const std::vector<Outcome>& outcomes) {
  return std::ranges::all_of(outcomes, [](const Outcome& outcome) {
    return outcome.kind == Kind::kDeferred && !outcome.in_doubt && (outcome.local || outcome.code == 421);
  });
}

SendingOptions Settled(SendingOptions options) {
  if (options.host.empty()) options.host = net::ThisHost();
  return options;
}

}  // namespace

// What is to be sent, and what became of it.
class MailSender::Batch final : public agent::Outbox {
 public:
  Batch(const MailSender::Next& next, const MailSender::Done& done, MailSender& sender)
      : next_(next), done_(done), sender_(sender), bar_(sender.choice_.show ? nullptr : &sender.bar_) {}

  const smtp::ClientMessage* Next() override {
    if (!more()) return nullptr;
    again_ = waiting_ != nullptr;
    current_ = again_ ? std::exchange(waiting_, nullptr) : std::exchange(ahead_, nullptr);
    ready_.emplace(*current_, sender_.options_, bar_, nullptr);
    return &ready_->out;
  }
  // A server may end the connection after some messages: what it had begun goes over the next one, once.
  void Sent(std::vector<Outcome> outcomes) override {
    if (sender_.interrupted_ != 0) SayInterrupted(outcomes);
    if (ConnectionFailed(outcomes) && here_ > 0 && !again_ && sender_.interrupted_ == 0) {
      waiting_ = current_;
    } else {
      ++here_;
      done_(*current_, outcomes);
    }
  }

  void Opened(const smtp::Extensions& extensions) override { sender_.WarnOfReports(extensions.dsn); }

  void NewConnection() { here_ = 0; }
  bool took_some() const { return here_ > 0; }
  // Looks ahead, so that no connection is made for nothing.
  bool more() {
    if (sender_.interrupted_ != 0) return false;
    if (waiting_ == nullptr && ahead_ == nullptr) ahead_ = next_();
    return waiting_ != nullptr || ahead_ != nullptr;
  }
  // Nobody takes what is left.
  void FailRest(const Outcome& outcome) {
    while (Next() != nullptr) done_(*current_, std::vector(current_->recipients.size(), outcome));
  }

  Outgoing* Take() { return sender_.interrupted_ != 0 ? nullptr : next_(); }
  void Tell(const Outgoing& message, const std::vector<Outcome>& outcomes) { done_(message, outcomes); }
  ProgressBar* bar() const { return bar_; }

 private:
  const MailSender::Next& next_;
  const MailSender::Done& done_;
  MailSender& sender_;
  ProgressBar* const bar_;
  Outgoing* current_ = nullptr;
  Outgoing* waiting_ = nullptr;  // for another connection
  Outgoing* ahead_ = nullptr;
  std::optional<Ready> ready_;
  std::size_t here_ = 0;  // messages of this connection
  bool again_ = false;
};

struct MailSender::Domain {
  std::string name;
  std::vector<std::size_t> recipients;  // indices
};

MailSender::MailSender(const AccountChoice& choice, const CommandLine& line, agent::Account account,
                       const SendingOptions& options)
    : choice_(choice), line_(line), account_(std::move(account)), options_(Settled(options)), bar_(line.language()) {}
MailSender::~MailSender() = default;

Expected<std::unique_ptr<MailSender>> MailSender::Open(const AccountChoice& choice, const CommandLine& line,
                                                       agent::Account account, const SendingOptions& options, int& status) {
  status = EX_CONFIG;
  std::unique_ptr<MailSender> sender(new MailSender(choice, line, std::move(account), options));
  auto world = AgentWorld::Make(choice.name_server);
  if (!world) return std::unexpected(world.error());
  sender->world_ = std::move(*world);
  // Whoever's certificate is better than none where TLS is not required (RFC 7435).
  const bool verify = sender->account_.verify && choice.tls == "starttls";
  auto tls = options.by_mx ? AgentWorld::Tls(verify, sender->account_.authorities)
                           : AgentWorld::TlsFor(sender->account_, *sender->account_.smtp);
  if (!tls) return std::unexpected(tls.error());
  sender->tls_ = std::move(*tls);
  if (!options.by_mx) {
    auto login = choice.Login(sender->account_, line);
    if (!login) return std::unexpected(login.error());
    sender->credentials_ = std::move(*login);
  }
  status = EX_CANTCREAT;
  auto shown = choice.Show(Protocol::kSmtp, line);
  if (!shown) return std::unexpected(shown.error());
  sender->shown_ = std::move(*shown);
  sender->world_->WhenInterrupted([self = sender.get()](int how) { return self->Interrupt(how); });
  return sender;
}

// The stream's operation ends, so that the session hears of it and says how far the message has come.
bool MailSender::Interrupt(int status) {
  bar_.Clear();
  interrupted_ = status;
  if (stream_ != nullptr) return stream_->Cancel(), true;
  if (farewell_) farewell_();
  static_cast<void>(shown_->Close());
  return false;
}

// As RFC 3461 §4 has it for such servers, the message goes all the same.
void MailSender::WarnOfReports(bool offered) {
  const bool wanted = options_.notify.said() || options_.ret != smtp::Return::kUnsaid || !options_.envid.empty();
  if (offered || !wanted || std::exchange(warned_, true)) return;
  bar_.Clear();
  line_.Complain({std::string(line_.Say("warning: the server does not offer DSN; no reports are asked of it",
                                        "警告：服务器不支持 DSN，无法要求投递报告")),
                  {},
                  {}});
}

// The stream that an interruption ends.
class MailSender::Held {
 public:
  Held(MailSender& sender, net::Stream& stream) : sender_(sender) { sender_.stream_ = &stream; }
  ~Held() { sender_.stream_ = nullptr; }
  Held(const Held&) = delete;

 private:
  MailSender& sender_;
};

void MailSender::Send(const Next& next, const Done& done, std::function<void()> farewell) {
  farewell_ = std::move(farewell);
  Batch batch(next, done, *this);
  world_->Run(options_.by_mx ? SendByMx(batch) : Submit(batch));
  bar_.Clear();
}

Expected<void> MailSender::Close() { return shown_->Close(); }

net::Task<void> MailSender::Submit(Batch& batch) {
  while (batch.more()) {
    auto connected =
        co_await agent::ConnectTo(world_->network(), *account_.smtp, tls_, choice_.limits(), [this] { return shown_->NewTap(); });
    if (!connected) co_return batch.FailRest(LocalOutcome(connected.error().Text()));
    ClientOptions options;
    const bool clear = account_.smtp->tls == agent::TlsKind::kNone;
    options.host = options_.host;
    options.chunking = options_.chunking;
    options.tls = clear ? ClientOptions::Tls::kNever : ClientOptions::Tls::kRequired;
    options.passwords_without_tls = clear;
    options.credentials = credentials_ ? &*credentials_ : nullptr;
    batch.NewConnection();
    const Held held(*this, *connected->stream);
    agent::Outbox& outbox = batch;
    const Outcome closed = co_await agent::SendOver(*connected->stream, connected->peer, SystemRandomness(), options, outbox);
    if (!batch.took_some()) co_return batch.FailRest(closed);
  }
}

net::Task<void> MailSender::SendByMx(Batch& batch) {
  while (Outgoing* const message = batch.Take()) {
    std::map<std::string, Domain> domains;
    for (std::size_t i = 0; i < message->recipients.size(); ++i) {
      const auto parts = agent::SplitAddress(message->recipients[i].address);
      Domain& domain = domains[parts ? parts->domain : std::string()];
      domain.name = parts ? parts->domain : std::string();
      domain.recipients.push_back(i);
    }
    std::vector<Outcome> outcomes(message->recipients.size(), LocalOutcome(kInterrupted));
    for (const auto& [name, domain] : domains)
      if (interrupted_ == 0) co_await SendToDomain(batch, *message, domain, outcomes);
    batch.Tell(*message, outcomes);
  }
}

net::Task<void> MailSender::SendToDomain(Batch& batch, Outgoing& message, const Domain& domain, std::vector<Outcome>& outcomes) {
  const auto settle = [&](const std::vector<Outcome>& of_them) {
    for (std::size_t i = 0; i < domain.recipients.size(); ++i) outcomes[domain.recipients[i]] = of_them[i];
  };
  relay::RelayOptions routing;
  routing.host = options_.host;
  routing.port = options_.port;
  const agent::Network network = world_->network();
  const relay::Itinerary itinerary =
      co_await relay::FindHops(network.resolver, routing, nullptr, domain.name, SystemRandomness());
  std::vector<Outcome> told(domain.recipients.size(), itinerary.failure);
  for (const relay::Hop& hop : itinerary.hops) {
    using Tls = ClientOptions::Tls;
    const Tls wanted = choice_.tls == "none" ? Tls::kNever : choice_.tls == "starttls" ? Tls::kRequired : Tls::kIfOffered;
    agent::SendResult result = co_await SendToHost(batch, message, domain, hop, wanted);
    const bool handshake = result.closed.local && result.closed.stage == smtp::Stage::kStartTls;
    if (wanted == Tls::kIfOffered && handshake && interrupted_ == 0) {
      agent::SendResult second = co_await SendToHost(batch, message, domain, hop, Tls::kNever);
      result = std::move(second);
    }
    told = std::move(result.recipients);
    if (!ConnectionFailed(told) || interrupted_ != 0) break;
  }
  if (interrupted_ != 0) SayInterrupted(told);
  settle(told);
}

net::Task<agent::SendResult> MailSender::SendToHost(Batch& batch, Outgoing& message, const Domain& domain, const relay::Hop& hop,
                                                    ClientOptions::Tls tls) {
  ClientOptions options;
  options.host = options_.host;
  options.chunking = options_.chunking;
  options.tls = tls;
  const agent::Peer peer{
      .endpoint = hop.endpoint, .host = hop.host, .implicit_tls = false, .tls = tls_, .timeout = choice_.limits().wait};
  const Ready ready(message, options_, batch.bar(), &domain.recipients);
  const agent::Network network = world_->network();
  auto stream = co_await net::Connect(network.context, network.deadlines, peer.endpoint, peer.timeout, shown_->NewTap());
  if (!stream) {
    const Outcome failed = LocalOutcome(stream.error().Text());
    co_return agent::SendResult{std::vector(ready.recipients.size(), failed), failed, true};
  }
  const Held held(*this, **stream);
  agent::SendResult result = co_await agent::SendOver(**stream, peer, SystemRandomness(), options, ready.out);
  WarnOfReports(result.reports);
  co_return result;
}

}  // namespace glasspost::cli
