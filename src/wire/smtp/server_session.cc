#include "wire/smtp/server_session.h"

#include <algorithm>

#include "base/ascii.h"

namespace glasspost::smtp {
namespace {

// RFC 5321 §4.5.3.1.5: 512 with code and line end; room for an enhanced code.
constexpr std::size_t kReplyTextOctets = 480;

// RFC 3463, RFC 5248: where nobody said it better.
std::string_view EnhancedFor(int code) {
  switch (code) {
    case 421:
    case 454:
      return "4.7.0";
    case 450:
      return "4.2.0";
    case 451:
      return "4.3.0";
    case 452:
      return "4.3.1";
    case 455:
      return "4.5.4";
    case 432:
      return "4.7.12";
    case 500:
      return "5.5.2";
    case 502:
    case 503:
      return "5.5.1";
    case 501:
    case 504:
    case 555:
      return "5.5.4";
    case 521:
      return "5.3.2";
    case 530:
      return "5.7.0";
    case 534:
      return "5.7.9";
    case 535:
      return "5.7.8";
    case 538:
      return "5.7.11";
    case 552:
      return "5.3.4";
    default:
      return code / 100 == 4 ? "4.0.0" : code / 100 == 2 ? "2.0.0" : "5.0.0";
  }
}

std::string_view TextFor(int code) {
  switch (code) {
    case 535:
      return "Authentication failed";
    case 454:
      return "Not available now, try again later";
    case 552:
      return "Too much";
    default:
      return code / 100 == 4 ? "Try again later" : code / 100 == 2 ? "Ok" : "Refused";
  }
}

// A line of a reply: no line ends, no control characters, not longer than allowed.
void AppendText(std::string& out, std::string_view text) {
  for (const char c : text.substr(0, kReplyTextOctets))
    if (static_cast<std::uint8_t>(c) >= ' ' && c != 0x7f) out += c;
}

void AppendCode(std::string& out, int code) {
  out += static_cast<char>('0' + code / 100);
  out += static_cast<char>('0' + code / 10 % 10);
  out += static_cast<char>('0' + code % 10);
}

}  // namespace

ServerSession::ServerSession(ServerHandler& handler, const ServerOptions& options, Randomness& randomness)
    : handler_(handler),
      options_(options),
      randomness_(randomness),
      splitter_(std::max(options.limits.auth_line_octets, options.limits.line_octets)) {}

ServerSession::~ServerSession() = default;

void ServerSession::Start(bool tls) {
  tls_ = tls;
  Put(Ask::kConnect, Verb::kUnknown, handler_.OnConnect());
}

ServerSession::Next ServerSession::next() const {
  if (closing_) return Next::kClose;
  if (state_ == State::kTls) return Next::kTls;
  if (ask_ != Ask::kNothing || held_ || state_ == State::kConnected) return Next::kWait;
  return output_.size() >= options_.limits.output_octets ? Next::kWrite : Next::kRead;
}

bool ServerSession::takes_input() const { return next() == Next::kRead; }

std::size_t ServerSession::Receive(Octets input) {
  std::size_t taken = 0;
  while (taken < input.size() && takes_input()) {
    const Octets rest = input.substr(taken);
    if (state_ == State::kData) {
      taken += ReceiveData(rest);
    } else {
      taken += chunk_open_ ? ReceiveChunk(rest) : ReceiveLine(rest);
    }
  }
  splitter_.Release();
  // Before the handshake and behind the last reply nothing counts.
  return closing_ || state_ == State::kTls ? input.size() : taken;
}

std::size_t ServerSession::ReceiveLine(Octets input) {
  text::Line line;
  Octets rest = input;
  const bool whole = splitter_.Next(rest, line) == text::LineSplitter::Step::kLine;
  if ((whole ? line.length : splitter_.pending()) > options_.limits.endless_line_octets) {
    End(Answer::No(421, "4.5.2", options_.host + " Line without end, closing connection"));
  } else if (whole) {
    OnLine(line);
  }
  return input.size() - rest.size();
}

void ServerSession::OnLine(const text::Line& line) {
  // Only CRLF ends a line. Who ends it with LF alone is told at once, and the line goes on to its CRLF, unheard.
  if (skip_line_) {
    skip_line_ = !line.crlf;
    return;
  }
  const bool answer = state_ == State::kAuthenticating;
  if (!line.crlf) {
    skip_line_ = true;
    if (answer) EndAuth(501);
    return SayError(500, "5.5.2", "Lines end with CRLF, not with LF alone");
  }
  const std::size_t limit =
      answer || StartsWithNoCase(line.text, "AUTH ") ? options_.limits.auth_line_octets : options_.limits.line_octets;
  if (line.cut || line.text.size() > limit) {
    if (answer) EndAuth(500);
    return SayError(500, answer ? "5.5.6" : "5.5.2", "Line too long");
  }
  if (answer) return OnAuthLine(line.text);
  OnCommand(line.text);
}

void ServerSession::OnCommand(Octets line) {
  // RFC 5321 §4.1.1: white space before the line end is tolerated.
  while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  if (line.empty()) return SayError(500, "5.5.2", "Empty line");
  Command command;
  ParseCommand(line, command, {.lenient_paths = options_.lenient_paths});
  Dispatch(command);
}

void ServerSession::Dispatch(const Command& command) {
  // Its octets follow whatever is said to it.
  if (command.verb == Verb::kBdat) return DoBdat(command);
  if (Refuses(command)) return;
  switch (command.verb) {
    case Verb::kHelo:
    case Verb::kEhlo:
    case Verb::kLhlo:
      return DoHello(command);
    case Verb::kMail:
      return DoMail(command);
    case Verb::kRcpt:
      return DoRcpt(command);
    case Verb::kData:
      return DoData();
    case Verb::kRset:
      return DoReset();
    case Verb::kStartTls:
      return DoStartTls();
    case Verb::kAuth:
      return DoAuth(command);
    default:
      return DoOther(command);
  }
}

// What can be said without looking at the command's own meaning.
bool ServerSession::Refuses(const Command& command) {
  const Verb verb = command.verb;
  const auto no = [&](int code, std::string_view enhanced, std::string_view text) {
    SayError(code, enhanced, text);
    return true;
  };
  if (verb == Verb::kUnknown) return no(500, "5.5.2", "Command not recognized");
  if (refused_greeting_ && verb != Verb::kQuit) return no(503, "5.5.1", "No service here; only QUIT");
  const bool lmtp = options_.role == Role::kLmtp;
  const bool missing = verb > Verb::kAuth || (verb == Verb::kStartTls && !options_.extensions.starttls) ||
                       (lmtp ? verb == Verb::kHelo || verb == Verb::kEhlo : verb == Verb::kLhlo) || verb == Verb::kExpn;
  if (missing) return no(502, "5.5.1", "Command not implemented");
  const bool needs_tls = options_.require_tls && !tls_ && verb != Verb::kEhlo && verb != Verb::kHelo && verb != Verb::kLhlo &&
                         verb != Verb::kNoop && verb != Verb::kQuit && verb != Verb::kStartTls;
  if (needs_tls) return no(530, "5.7.0", "Must issue a STARTTLS command first");
  if (verb == Verb::kStartTls && tls_) return no(503, "5.5.1", "TLS is active already");
  if (!MayCome(verb, state_)) return OutOfOrder(verb), true;
  switch (command.fault) {
    case Fault::kLeadingSpace:
      return no(500, "5.5.2", "Space before the command");
    case Fault::kBadOctet:
      return no(500, "5.5.2", "Octets that may not be in a command");
    case Fault::kUnexpectedArgument:
      if (verb == Verb::kEhlo || verb == Verb::kHelo || verb == Verb::kLhlo) return false;  // they answer without enhanced codes
      return no(501, "5.5.4", "No argument is allowed");
    default:
      return false;
  }
}

void ServerSession::OutOfOrder(Verb verb) {
  if (state_ == State::kGreeted)
    return SayError(503, "5.5.1", options_.role == Role::kLmtp ? "Say LHLO first" : "Say EHLO first");
  switch (verb) {
    case Verb::kMail:
      return SayError(503, "5.5.1", "Nested MAIL command");
    case Verb::kRcpt:
      return SayError(503, "5.5.1", state_ == State::kChunks ? "The message has begun" : "Need MAIL command");
    case Verb::kData:
      if (state_ == State::kMail && transaction_.refused_recipients) return SayError(554, "5.5.1", "No valid recipients");
      return SayError(503, "5.5.1", state_ == State::kChunks ? "The message has begun with BDAT" : "Need RCPT command");
    default:
      return SayError(503, "5.5.1", "Not now");
  }
}

// Asks the handler; `decision` is what it said to that.
void ServerSession::Put(Ask question, Verb verb, const Decision& decision) {
  ask_ = question;
  ask_verb_ = verb;
  if (decision) Apply(*decision);
}

void ServerSession::Decide(const Answer& answer) {
  if (closing_ || ask_ == Ask::kNothing || ask_ == Ask::kVerifiers) return;
  Apply(answer);
}

void ServerSession::DecideEach(std::span<const Answer> answers) {
  if (closing_ || ask_ != Ask::kEnd || answers.empty()) return;
  ask_ = Ask::kNothing;
  AnswerEnd(answers);
}

void ServerSession::Apply(const Answer& answer) {
  switch (std::exchange(ask_, Ask::kNothing)) {
    case Ask::kConnect:
      return ApplyConnect(answer);
    case Ask::kHello:
      return ApplyHello(answer);
    case Ask::kMail:
      return ApplyMail(answer);
    case Ask::kRecipient:
      return ApplyRecipient(answer);
    case Ask::kStart:
      return ApplyStart(answer);
    case Ask::kEnd:
      return AnswerEnd({&answer, 1});
    case Ask::kStartTls:
      if (SayAnswer(Verb::kStartTls, answer, "2.0.0", "Ready to start TLS") != 220) return;
      splitter_.Reset();
      state_ = State::kTls;
      return;
    case Ask::kLogin:
      return AnswerLogin(answer);
    case Ask::kNothing:
    case Ask::kVerifiers:
      return;
  }
}

// RFC 5321 §3.1, RFC 7504. The greeting and its refusals have no enhanced codes (RFC 2034 §4).
void ServerSession::ApplyConnect(const Answer& answer) {
  if (answer.yes()) {
    state_ = State::kGreeted;
    const std::string name = options_.role == Role::kLmtp ? " LMTP " : " ESMTP ";
    return Say(220, {}, options_.host + name + (answer.text.empty() ? options_.product : answer.text));
  }
  const int code = IsGreeting(answer.code) ? answer.code : answer.code / 100 == 4 ? 421 : 554;
  Say(code, {}, options_.host + " " + (answer.text.empty() ? std::string(TextFor(code)) : answer.text));
  if (code != 554) return Finish();
  state_ = State::kGreeted;
  refused_greeting_ = true;
}

void ServerSession::Say(int code, std::string_view enhanced, std::string_view text) {
  if (output_.capacity() < 128) output_.reserve(256);
  if (!options_.extensions.enhanced_status_codes) enhanced = {};
  while (true) {
    const std::size_t end = text.find('\n');
    AppendCode(output_, code);
    output_ += end == std::string_view::npos ? ' ' : '-';
    if (!enhanced.empty()) (output_ += enhanced) += ' ';
    AppendText(output_, text.substr(0, end));
    output_ += "\r\n";
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

int ServerSession::SayAnswer(Verb verb, const Answer& answer, std::string_view yes_enhanced, std::string_view yes_text) {
  const Rule& rule = RuleOf(verb);
  int code = answer.code;
  if (answer.yes()) {
    if (!Holds(rule.success, code) && code != rule.go_on) code = rule.success[0];
    if (code == 0) code = rule.success[0] != 0 ? rule.success[0] : rule.go_on;
  } else if (code / 100 != 4 && code / 100 != 5) {
    code = 451;
  } else if (!MayAnswer(verb, code)) {
    code = code / 100 == 4 ? 451 : 550;
  }
  if (code == 0) code = rule.go_on;
  const bool fits = !answer.enhanced.empty() && answer.enhanced[0] - '0' == code / 100;
  const bool fallback = answer.yes() && !yes_enhanced.empty();
  const std::string_view enhanced = code / 100 == 3 ? std::string_view{}
                                    : fits          ? std::string_view(answer.enhanced)
                                    : fallback      ? yes_enhanced
                                                    : EnhancedFor(code);
  Say(code, enhanced, !answer.text.empty() ? std::string_view(answer.text) : answer.yes() ? yes_text : TextFor(code));
  if (code == 421) Finish();
  return code;
}

void ServerSession::SayError(int code, std::string_view enhanced, std::string_view text) {
  if (++errors_ > options_.limits.errors) return End(Answer::No(421, "4.7.0", options_.host + " Too many errors"));
  Say(code, enhanced, text);
}

// A command that brings no message nearer.
void ServerSession::CountIdle() {
  if (++idle_commands_ > options_.limits.idle_commands && ++errors_ > options_.limits.errors)
    End(Answer::No(421, "4.7.0", options_.host + " Too many commands"));
}

void ServerSession::EndTransaction(Reset why) {
  if (transaction_.open && !std::exchange(transaction_.told, true)) handler_.OnReset(why);
  ForgetTransaction();
}

void ServerSession::ForgetTransaction() {
  transaction_ = {};
  refusal_.reset();
  if (shutting_down_ && !closing_) End(Answer::No(421, "4.3.2", options_.host + " Shutting down"));
}

void ServerSession::Finish() {
  closing_ = true;
  held_ = chunk_open_ = false;
  ask_ = Ask::kNothing;
  state_ = State::kQuit;
  EndTransaction(Reset::kClosed);
  sasl_.reset();
  splitter_.Reset();
}

void ServerSession::End(const Answer& answer) {
  if (closing_) return;
  const bool plain = state_ != State::kTls;
  const int code = answer.code / 100 == 4 || answer.code / 100 == 5 ? answer.code : 421;
  if (plain) Say(code, answer.enhanced.empty() ? EnhancedFor(code) : std::string_view(answer.enhanced), answer.text);
  handler_.OnEnded(answer);
  Finish();
}

void ServerSession::TimedOut() { End(Answer::No(421, "4.4.2", options_.host + " Timeout exceeded, closing connection")); }

void ServerSession::ShutDown() {
  shutting_down_ = true;
  if (!transaction_.open) End(Answer::No(421, "4.3.2", options_.host + " Shutting down"));
}

void ServerSession::Closed() {
  if (!closing_) Finish();
}

// RFC 3207 §4.2: all that the client said is forgotten.
void ServerSession::TlsStarted() {
  if (closing_ || state_ != State::kTls) return;
  state_ = State::kGreeted;
  tls_ = true;
  esmtp_ = false;
  hello_.clear();
  user_.clear();
  mechanism_ = sasl::Mechanism::kUnknown;
  splitter_.Reset();
}

std::string_view ServerSession::with_protocol() const {
  static constexpr std::string_view kNames[2][2][4] = {
      {{"ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA"}, {"LMTP", "LMTPS", "LMTPA", "LMTPSA"}},
      {{"UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA"}, {"UTF8LMTP", "UTF8LMTPS", "UTF8LMTPA", "UTF8LMTPSA"}}};
  if (!esmtp_) return "SMTP";
  const std::size_t security = (tls_ ? 1u : 0u) + (user_.empty() ? 0u : 2u);
  return kNames[transaction_.smtputf8 ? 1 : 0][options_.role == Role::kLmtp ? 1 : 0][security];
}

std::size_t ServerSession::heap() const {
  const auto of = [](const std::string& s) { return s.capacity() > 15 ? s.capacity() + 1 : 0; };
  return of(output_) + of(hello_) + of(user_) + of(asked_hello_) + splitter_.heap() + (sasl_ ? sizeof(sasl::ServerExchange) : 0) +
         (refusal_ ? sizeof(Answer) : 0) + (chunk_refusal_ ? sizeof(Answer) : 0);
}

}  // namespace glasspost::smtp
