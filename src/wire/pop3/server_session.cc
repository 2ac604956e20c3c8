// The frame of the session: lines in, replies out, limits. Commands: server_login.cc, server_maildrop.cc.
#include "wire/pop3/server_session.h"

#include <algorithm>
#include <utility>

#include "base/sha256.h"

namespace glasspost::pop3 {
namespace {

constexpr std::size_t kLineEnd = 2;  // CRLF
constexpr std::size_t kChallengeOctets = 12;
constexpr std::size_t kKeptOctets = 512;  // of output's memory, while idle

}  // namespace

ServerSession::ServerSession(ServerHandler& handler, const ServerOptions& options, Randomness& randomness, bool tls)
    : handler_(handler), options_(options), randomness_(randomness), lines_(options.limits.sasl_octets), tls_(tls) {}

void ServerSession::Start() {
  output_.append("+OK ").append(TextOf(Text::kGreeting, language_));
  if (options_.apop) {  // RFC 1939 §7: never the same twice
    challenge_ = "<" + Hex(AsBytes(randomness_.Draw(kChallengeOctets))) + "@" + options_.host + ">";
    output_.append(" ").append(challenge_);
  }
  output_.append("\r\n");
}

bool ServerSession::Takes() const {
  return asked_ == Asked::kNothing && end_ == End::kOpen && job_ == Job::kNone &&
         output_.size() - sent_ < options_.limits.output_octets;
}

std::size_t ServerSession::Receive(Octets input) {
  Octets rest = input;
  text::Line line;
  while (!rest.empty() && Takes()) {
    if (long_lines_ && state_ == State::kTransaction) {  // those of AUTH are over: their memory is given back
      lines_ = text::LineSplitter(options_.limits.command_octets);
      long_lines_ = false;
    }
    const bool whole = lines_.Next(rest, line) == text::LineSplitter::Step::kLine;
    if ((whole ? line.length : lines_.pending()) > options_.limits.endless_octets) {
      Err(Text::kLineTooLong);
      Close();
    } else if (whole) {
      OnLine(line);
    }
  }
  behind_ = end_ == End::kOpen && !rest.empty();
  Release();
  // What came before the handshake, or after the end, is dropped unseen (RFC 2595 §4).
  return end_ == End::kOpen ? input.size() - rest.size() : input.size();
}

void ServerSession::OnLine(const text::Line& line) {
  // A bare LF ends no command: it is answered once, and what follows it up to CRLF is none either.
  if (std::exchange(skip_line_, !line.crlf)) return;
  if (sasl_) {  // it is the answer to a challenge
    if (line.cut || !line.crlf) return sasl_.reset(), Mistake(line.cut ? Text::kLineTooLong : Text::kLineEnd);
    return AfterSasl(sasl_->OnLine(line.text));
  }
  if (state_ == State::kAuthorization && ++commands_ > options_.limits.commands_before_login)
    return Err(Text::kTooManyMistakes), Close();
  if (line.cut) return Mistake(Text::kLineTooLong);
  // A CR or NUL inside is no part of any command.
  if (!line.crlf || line.text.find_first_of(Octets("\r\0", 2)) != Octets::npos) return Mistake(Text::kLineEnd);
  OnCommand(ParseCommand(line.text), line.text.size() + kLineEnd);
}

void ServerSession::OnCommand(const CommandLine& c, std::size_t octets) {
  // An initial response is as long as the mechanism makes it; clients do not keep to 255 octets there.
  if (octets > options_.limits.command_octets && c.command != Command::kAuth) return Mistake(Text::kLineTooLong);
  if (c.command == Command::kUnknown) return Mistake(Text::kUnknownCommand);
  if (!Allowed(c.command, state_)) return Mistake(state_ == State::kAuthorization ? Text::kLogInFirst : Text::kAlreadyLoggedIn);
  if (!CheckArguments(c)) return;
  if (c.command != Command::kPass && c.command != Command::kCapa) user_.clear();  // PASS follows USER (RFC 1939 §7)
  Execute(c);
}

// LIST, UIDL, AUTH and LANG may have one, these must or must not.
bool ServerSession::CheckArguments(const CommandLine& c) {
  switch (c.command) {
    case Command::kUser:
    case Command::kApop:
    case Command::kRetr:
    case Command::kDele:
    case Command::kTop:
      if (c.argument.empty()) return Mistake(Text::kNeedsArgument), false;
      return true;
    case Command::kStat:
    case Command::kNoop:
    case Command::kRset:
    case Command::kQuit:
    case Command::kCapa:
    case Command::kStls:
    case Command::kUtf8:
      if (!c.argument.empty()) return Mistake(Text::kNoArgument), false;
      return true;
    default:
      return true;
  }
}

void ServerSession::Execute(const CommandLine& c) {
  switch (c.command) {
    case Command::kUser:
      return User(c.argument);
    case Command::kPass:
      return Pass(c.argument);
    case Command::kApop:
      return Apop(c.argument);
    case Command::kAuth:
      return Auth(c.argument);
    case Command::kStls:
      return Stls();
    case Command::kCapa:
      return Capa();
    case Command::kLang:
      return Lang(c.argument);
    case Command::kUtf8:
      utf8_ = true;
      return Ok(Text::kUtf8On);
    case Command::kStat:
      return Stat();
    case Command::kList:
      return Listing(c.argument, Job::kList);
    case Command::kUidl:
      return Listing(c.argument, Job::kUidl);
    case Command::kRetr:
      return Retrieve(c.argument);
    case Command::kTop:
      return Top(c.argument);
    case Command::kDele:
      return Dele(c.argument);
    case Command::kRset:
      return Rset();
    case Command::kNoop:
      return Ok(Text::kNoop);
    case Command::kQuit:
      return Quit();
    case Command::kUnknown:
      return;
  }
}

void ServerSession::Sent(std::size_t octets) {
  sent_ += std::min(octets, output_.size() - sent_);
  if (sent_ == output_.size()) {
    output_.clear();
    sent_ = 0;
  }
  Advance();
  Release();
}

// With nothing to send, and nothing at hand that asks for more, it may be long until there is.
void ServerSession::Release() {
  const bool idle = output_.empty() && job_ == Job::kNone && !behind_;
  if (idle && output_.capacity() > kKeptOctets) std::string().swap(output_);
}

void ServerSession::TimedOut() {
  output_.clear();
  sent_ = 0;
  asked_ = Asked::kNothing;  // an answer that still comes is ignored
  job_ = Job::kNone;
  Close();
}

void ServerSession::Ok(Text text) { output_.append("+OK ").append(TextOf(text, language_)).append("\r\n"); }

void ServerSession::Err(Text text, Octets code) {
  output_.append("-ERR ");
  if (!code.empty()) output_.append("[").append(code).append("] ");
  output_.append(TextOf(text, language_)).append("\r\n");
}

void ServerSession::Mistake(Text text) {
  user_.clear();  // PASS follows USER at once, or not at all
  if (++mistakes_ < options_.limits.mistakes) return Err(text);
  Err(Text::kTooManyMistakes);
  Close();
}

}  // namespace glasspost::pop3
