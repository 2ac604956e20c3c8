#include "wire/imap/client_session.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"

namespace glasspost::imap {

using Outcome = ClientOutcome::Kind;

ClientSession::ClientSession(ClientHandler& handler, const ClientOptions& options)
    : handler_(handler), options_(options), lines_(options.limits.line_octets) {}

ClientSession::Next ClientSession::next() const {
  if (!output().empty()) return Next::kWrite;
  if (closed_) return Next::kClose;
  if (step_ == Step::kHandshake) return Next::kTls;
  return step_ == Step::kReady ? Next::kReady : Next::kRead;
}

void ClientSession::Sent(std::size_t octets) {
  sent_octets_ += std::min(octets, output_.size() - sent_octets_);
  if (sent_octets_ < output_.size()) return;
  output_.clear();
  sent_octets_ = 0;
}

void ClientSession::Receive(Octets input) {
  text::Line line;
  while (!input.empty() && !closed_) {
    if (step_ == Step::kHandshake) return End(Outcome::kInjected, "octets came between STARTTLS and the handshake");
    const bool whole = lines_.Next(input, line) == text::LineSplitter::Step::kLine;
    if (whole && !line.cut)
      OnLine(line.text);
    else if (whole || lines_.pending() > options_.limits.line_octets + 1)  // its CR may be there, and the LF yet to come
      return End(Outcome::kTooMuch, "a line without end");
  }
}

void ClientSession::OnLine(Octets line) {
  if (++reply_lines_ > options_.limits.lines) return End(Outcome::kTooMuch, "a reply without end");
  const Response r = ParseResponse(line);
  if (step_ == Step::kGreeting) return OnGreeting(r);
  if (r.kind == Kind::kTagged) return OnTagged(r);
  if (r.kind != Kind::kUntagged) return End(Outcome::kNonsense, "neither data nor an answer");
  if (EqualsNoCase(r.word, "CAPABILITY")) Learn(r.text);
  if (EqualsNoCase(r.word, "BYE") && step_ != Step::kLogout) End(Outcome::kRefused, r.text);
}

void ClientSession::OnGreeting(const Response& r) {
  ++answered_;
  preauthenticated_ = EqualsNoCase(r.word, "PREAUTH");
  if (r.kind != Kind::kUntagged || !IsStatus(r.word, true)) return End(Outcome::kNonsense, "no greeting");
  if (!preauthenticated_ && !EqualsNoCase(r.word, "OK")) return End(Outcome::kRefused, r.text);
  Say(Step::kCapability, "CAPABILITY");
}

void ClientSession::OnTagged(const Response& r) {
  if (r.tag != "a" + std::to_string(tags_)) return End(Outcome::kNonsense, "an answer to no command");
  ++answered_;
  if (step_ == Step::kLogout) return End(Outcome::kDone, r.text);
  if (!EqualsNoCase(r.word, "OK")) return End(Outcome::kRefused, r.text);
  if (step_ == Step::kStartTls) {
    step_ = Step::kHandshake;
    return;
  }
  const bool offered = std::ranges::any_of(capabilities_, [](const std::string& c) { return EqualsNoCase(c, "STARTTLS"); });
  if (offered && !tls_ && !preauthenticated_ && options_.tls != ClientOptions::Tls::kNever)
    return Say(Step::kStartTls, "STARTTLS");
  step_ = Step::kReady;
  handler_.OnReady();
}

void ClientSession::Learn(Octets words) {
  capabilities_.clear();
  while (!words.empty() && capabilities_.size() < options_.limits.capabilities) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (end > 0) capabilities_.emplace_back(words.substr(0, end));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
}

void ClientSession::Say(Step step, Octets command) {
  step_ = step;
  reply_lines_ = 0;
  output_ += "a" + std::to_string(++tags_) + " ";
  output_.append(command).append("\r\n");
}

void ClientSession::Logout() {
  if (!closed_ && step_ == Step::kReady) Say(Step::kLogout, "LOGOUT");
}

// What was learned in the clear is void (RFC 9051 §6.2.1).
void ClientSession::TlsStarted() {
  tls_ = true;
  lines_.Reset();
  capabilities_.clear();
  Say(Step::kCapability, "CAPABILITY");
}

void ClientSession::Closed() { End(Outcome::kLost, "the connection closed"); }

void ClientSession::End(ClientOutcome::Kind kind, std::string_view text) {
  if (std::exchange(closed_, true)) return;
  output_.clear();
  sent_octets_ = 0;
  handler_.OnClosed({kind, std::string(text)});
}

}  // namespace glasspost::imap
