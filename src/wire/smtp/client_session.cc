#include "wire/smtp/client_session.h"

#include <algorithm>
#include <utility>

namespace glasspost::smtp {
namespace {

// RFC 4954 §4: a longer initial response would not fit into a command line.
constexpr std::size_t kInitialOctets = 450;

constexpr std::string_view kStageNames[] = {"greeting", "hello",   "starttls",    "auth",  "mail", "rcpt",
                                            "data",     "content", "content-end", "reset", "quit"};

}  // namespace

std::string_view Name(Stage stage) { return kStageNames[static_cast<std::size_t>(stage)]; }

ClientSession::ClientSession(ClientHandler& handler, const ClientOptions& options, Randomness& randomness)
    : handler_(handler),
      options_(options),
      randomness_(randomness),
      splitter_(options.limits.line_octets),
      assembler_(options.limits.reply) {}

ClientSession::~ClientSession() = default;

void ClientSession::Start(bool tls) { tls_ = tls; }

ClientSession::Next ClientSession::next() const {
  if (closed_) return output_.empty() ? Next::kClose : Next::kWrite;
  if (!output_.empty() || CanFill()) return Next::kWrite;
  if (handshake_) return Next::kTls;
  if (ready_) return Next::kReady;
  return waiting_for_source_ ? Next::kWait : Next::kRead;
}

bool ClientSession::TakeOutput(std::string& buffer) {
  if (!closed_) Fill();
  buffer.clear();
  buffer.swap(output_);
  return !buffer.empty();
}

void ClientSession::Receive(Octets input) {
  keeps_ready_ = true;
  TakeReplies(input);
  keeps_ready_ = false;
  TellReady();
}

void ClientSession::TakeReplies(Octets input) {
  text::Line line;
  // What lies behind the 220 to STARTTLS was never said by the one behind the handshake.
  while (!closed_ && !handshake_ && splitter_.Next(input, line) == text::LineSplitter::Step::kLine) {
    if (++reply_lines_ > options_.limits.reply_lines) return BreakRules("a reply that does not end");
    if (line.length > options_.limits.endless_line_octets) return BreakRules("a line that does not end");
    switch (assembler_.Add(line.text)) {
      case ReplyAssembler::Step::kMore:
        break;
      case ReplyAssembler::Step::kNoReply:
        return BreakRules("what is no reply");
      case ReplyAssembler::Step::kDone:
        reply_lines_ = 0;
        ++answered_replies_;
        OnReply(assembler_.reply());
    }
  }
  if (!closed_ && splitter_.pending() > options_.limits.endless_line_octets) return BreakRules("a line that does not end");
  splitter_.Release();
}

void ClientSession::OnReply(const ReplyValue& reply) {
  if (reply.codes_differ) return BreakRules("a reply with several codes");
  if (reply.code == 421) return Break(From(reply, stage_));
  if (ready_) return BreakRules("a reply to nothing");
  switch (stage_) {
    case Stage::kGreeting:
      return OnGreeting(reply);
    case Stage::kHello:
      return OnHello(reply);
    case Stage::kStartTls:
      return OnStartTls(reply);
    case Stage::kAuth:
      return OnAuth(reply);
    case Stage::kMail:
    case Stage::kRcpt:
    case Stage::kData:
      return OnEnvelope(reply);
    case Stage::kContent:
      return OnContent(reply);
    case Stage::kContentEnd:
      return OnContentEnd(reply);
    case Stage::kReset:
      if (reply.code / 100 != 2) return Break(From(reply, stage_), true);
      return Ready();
    case Stage::kQuit:
      return Break({.kind = Outcome::Kind::kAccepted, .stage = Stage::kQuit, .code = reply.code, .enhanced = {}, .text = {}});
  }
}

void ClientSession::OnGreeting(const ReplyValue& reply) {
  // RFC 5321 §3.1; 2yz of any kind is as good.
  if (reply.code / 100 != 2) return Break(From(reply, stage_), true);
  SayHello(options_.lmtp ? Verb::kLhlo : Verb::kEhlo);
}

void ClientSession::SayHello(Verb verb) {
  stage_ = Stage::kHello;
  helo_ = verb == Verb::kHelo;
  esmtp_ = !helo_;
  PutLine(std::string(Name(verb)) + " " + options_.host);
}

void ClientSession::OnHello(const ReplyValue& reply) {
  if (reply.code / 100 == 2) {
    extensions_ = helo_ ? Extensions{} : ParseExtensions(reply.lines);
    return AfterHello();
  }
  // RFC 5321 §3.2: who does not know EHLO may know HELO.
  if (reply.code / 100 == 5 && !helo_ && !options_.lmtp) return SayHello(Verb::kHelo);
  Break(From(reply, stage_), true);
}

void ClientSession::AfterHello() {
  using Tls = ClientOptions::Tls;
  if (!tls_ && !no_tls_ && extensions_.starttls && options_.tls != Tls::kNever) {
    stage_ = Stage::kStartTls;
    return PutLine("STARTTLS");
  }
  if (!tls_ && options_.tls == Tls::kRequired)
    return Break(Local(Outcome::Kind::kDeferred, 454, "4.7.4", "TLS is required, but was not offered"), true);
  if (options_.credentials != nullptr && !authenticated_) return BeginAuth();
  Ready();
}

void ClientSession::OnStartTls(const ReplyValue& reply) {
  if (reply.code == 220) {
    handshake_ = true;
    splitter_.Reset();
    return;
  }
  if (options_.tls == ClientOptions::Tls::kRequired) {
    Outcome outcome = From(reply, stage_);
    outcome.kind = Outcome::Kind::kDeferred;
    return Break(outcome, true);
  }
  no_tls_ = true;
  AfterHello();
}

// RFC 3207 §4.2: all that the server said is forgotten.
void ClientSession::TlsStarted() {
  if (closed_ || !handshake_) return;
  handshake_ = false;
  tls_ = true;
  extensions_ = {};
  splitter_.Reset();
  SayHello(options_.lmtp ? Verb::kLhlo : Verb::kEhlo);
}

void ClientSession::TlsFailed(std::string_view why) {
  stage_ = Stage::kStartTls;  // also of a connection that begins with it
  Break(Local(Outcome::Kind::kDeferred, 454, "4.7.5", std::string("TLS handshake failed: ").append(why)));
}

void ClientSession::BeginAuth() {
  stage_ = Stage::kAuth;
  const bool passwords = tls_ || options_.passwords_without_tls;
  const auto mechanism = sasl::ChooseMechanism(extensions_.mechanisms, *options_.credentials, passwords);
  if (mechanism == sasl::ClientMechanism::kNone)
    return Break(Local(Outcome::Kind::kDeferred, 454, "4.7.4", "The server offers no way to log in that may be used"), true);
  sasl_ = std::make_unique<sasl::ClientExchange>(mechanism, *options_.credentials, randomness_);
  challenges_ = 0;
  std::string line = "AUTH " + std::string(sasl::Name(mechanism));
  if (auto initial = sasl_->Initial()) {
    if (initial->size() <= kInitialOctets) {
      (line += ' ') += *initial;
    } else {
      initial_ = std::move(*initial);
    }
  }
  PutLine(line);
}

void ClientSession::OnAuth(const ReplyValue& reply) {
  if (reply.code == 334) {
    if (++challenges_ > options_.limits.challenges) return BreakRules("one challenge after the other");
    if (!initial_.empty()) return PutLine(std::exchange(initial_, {}));
    switch (sasl_->OnChallenge(reply.lines.empty() ? Octets{} : Octets(reply.lines.front()))) {
      case sasl::ClientExchange::Step::kRespond:
        return PutLine(sasl_->response());
      case sasl::ClientExchange::Step::kImpostor:
        return Break(Local(Outcome::Kind::kDeferred, 454, "4.7.0", "The server does not know the account that it asks for"));
      case sasl::ClientExchange::Step::kMalformed:
        return BreakRules("a challenge that cannot be read");
    }
  }
  if (reply.code / 100 == 2) {
    if (!sasl_->Believes())
      return Break(Local(Outcome::Kind::kDeferred, 454, "4.7.0", "The server did not prove that it knows the account"));
    authenticated_ = true;
    sasl_.reset();
    return Ready();
  }
  Break(From(reply, stage_), true);
}

void ClientSession::Ready() {
  stage_ = Stage::kMail;
  ready_ = ready_untold_ = true;
  if (!keeps_ready_) TellReady();
}

// Once all that was read is used up: what lies behind the last reply answers nothing that the handler sends now. A loop, not a
// recursion: a handler may send thousands of messages that cannot go here.
void ClientSession::TellReady() {
  keeps_ready_ = true;
  while (!closed_ && std::exchange(ready_untold_, false)) handler_.OnReady();
  keeps_ready_ = false;
}

void ClientSession::Quit() {
  if (closed_ || !ready_) return;
  ready_ = false;
  stage_ = Stage::kQuit;
  PutLine("QUIT");
}

// One line whatever it is made of: nothing that a caller lets through becomes a second command.
void ClientSession::PutLine(std::string_view line) {
  const std::size_t begin = output_.size();
  (output_ += line) += "\r\n";
  const auto end = output_.end() - 2;
  const auto breaks = [](char c) { return c == '\r' || c == '\n' || c == '\0'; };
  std::replace_if(output_.begin() + static_cast<std::ptrdiff_t>(begin), end, breaks, '?');
}

void ClientSession::TimedOut() {
  Break(Local(Outcome::Kind::kDeferred, 451, "4.4.2", "The server did not answer in time (" + std::string(Name(stage_)) + ")"));
}

void ClientSession::Closed() {
  if (stage_ == Stage::kQuit) return Break({.kind = Outcome::Kind::kAccepted, .stage = stage_, .enhanced = {}, .text = {}});
  Break(Local(Outcome::Kind::kDeferred, 451, "4.4.2", "The connection was lost (" + std::string(Name(stage_)) + ")"));
}

void ClientSession::BreakRules(std::string_view what) {
  Break(Local(Outcome::Kind::kDeferred, 451, "4.5.0",
              "The server sent " + std::string(what) + " (" + std::string(Name(stage_)) + ")"));
}

Outcome ClientSession::From(const ReplyValue& reply, Stage stage) const {
  const int category = reply.code / 100;
  Outcome outcome{.stage = stage, .code = reply.code, .enhanced = reply.enhanced, .text = {}};
  outcome.kind = category == 2 ? Outcome::Kind::kAccepted : category == 5 ? Outcome::Kind::kRefused : Outcome::Kind::kDeferred;
  for (const std::string& line : reply.lines) (outcome.text += outcome.text.empty() ? "" : "\n") += line;
  return outcome;
}

Outcome ClientSession::Local(Outcome::Kind kind, int code, std::string_view enhanced, std::string_view text) const {
  return {.kind = kind,
          .stage = stage_,
          .local = true,
          .in_doubt = false,
          .code = code,
          .enhanced = std::string(enhanced),
          .text = std::string(text)};
}

void ClientSession::Tell(std::size_t index, const Outcome& outcome) {
  if (std::exchange(recipients_[index], Status::kTold) != Status::kTold) handler_.OnRecipient(index, outcome);
}

void ClientSession::TellRest(const Outcome& outcome) {
  for (std::size_t i = 0; i < recipients_.size(); ++i)
    if (recipients_[i] == Status::kDue || recipients_[i] == Status::kAccepted) Tell(i, outcome);
}

void ClientSession::Break(const Outcome& outcome, bool polite) {
  if (std::exchange(closed_, true)) return;
  ready_ = handshake_ = waiting_for_source_ = false;
  output_ = polite ? "QUIT\r\n" : "";
  Outcome said = outcome;
  // The server's own words leave no doubt; its silence does.
  said.in_doubt = outcome.local && stage_ == Stage::kContentEnd && !nobody_;
  if (said.kind == Outcome::Kind::kAccepted && in_message_) said.kind = Outcome::Kind::kDeferred;
  if (std::exchange(in_message_, false)) TellRest(said);
  handler_.OnClosed(said);
}

}  // namespace glasspost::smtp
