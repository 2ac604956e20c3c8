// What a person can ask for besides sending a line: logins, files, raw octets, TLS.
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "agent/account.h"
#include "agent/talk/plan.h"
#include "agent/talk/talker.h"
#include "base/ascii.h"
#include "base/base64.h"
#include "wire/imap/grammar.h"
#include "wire/text/line_encoder.h"

namespace glasspost::agent::talk {
namespace {

// RFC 2449 §4: octets of a POP3 command line; with a longer initial response the server has to be asked first (RFC 5034 §4).
constexpr std::size_t kPop3Line = 255;
constexpr std::chrono::seconds kFarewell(2);
constexpr std::size_t kQueued = 4;  // pieces of a file that wait to be sent

struct CloseFile {
  void operator()(std::FILE* file) const {
    if (file != stdin) std::fclose(file);
  }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

Expected<File> Open(const std::string& path) {
  File file(path == "-" ? stdin : std::fopen(path.c_str(), "rb"));
  if (!file) return Fail(std::string("cannot be opened: ") + std::strerror(errno), path);
  return file;
}

}  // namespace

bool Talker::Trouble(const Error& error) {
  view_.Tell(View::Event::kTrouble, error.Text());
  return false;
}

void Talker::Type(Octets line, bool typed) {
  const Input input = state_.input();
  std::string octets(line);
  if (input == Input::kData) {
    if (line.starts_with('.') && line != ".") {
      octets.insert(0, ".");
      view_.Tell(View::Event::kStuffed, octets);
      typed = true;  // it was told as it goes out
    }
    return Push({.kind = Order::Kind::kDataLine, .octets = octets + "\r\n", .typed = typed});
  }
  if (chunk_due_ > 0) {
    chunk_due_ -= std::min<std::uint64_t>(chunk_due_, octets.size() + 2);
    return Push({.kind = Order::Kind::kDataLine, .octets = octets + "\r\n", .typed = typed});
  }
  const bool begins = input != Input::kAnswer && input != Input::kContinue && !literal_due_;
  last_answer_ = input == Input::kAnswer || (literal_due_ && literal_secret_);
  if (state_.protocol() == Protocol::kImap) typed = PrepareImap(octets, begins) && typed;
  if (state_.protocol() == Protocol::kSmtp && begins) {
    smtp::Command command;
    smtp::ParseCommand(octets, command);
    if (command.verb == smtp::Verb::kBdat && command.strict_ok()) chunk_due_ = command.chunk_size.value_or(0);
  }
  last_line_ = octets;
  Push({.kind = Order::Kind::kLine, .octets = octets + "\r\n", .typed = typed});
}

// Puts a tag before a command that has none. False: the line is not what was typed any more.
bool Talker::PrepareImap(std::string& octets, bool begins) {
  const auto read = imap::ParseCommand(octets);
  const std::string untagged = "t " + octets;
  const auto bare = imap::ParseCommand(untagged);
  // "LIST "" *" is read as a command with the tag LIST: what is no command behind its tag, and one without it, lacks the tag.
  const bool known = bare && bare->rule != nullptr && (!read || read->rule == nullptr || read->tag.empty());
  // A single word is no tag with its command. While an answer is owed it may be what the server is about to ask for: IDLE's DONE.
  const bool single = bare && !read && state_.waiting() == 0 && orders_.empty() && !busy_;
  const bool lacks = begins && (known || single);
  if (lacks) {
    octets.insert(0, "a" + std::to_string(++tags_) + " ");
    view_.Tell(View::Event::kTagged, octets.substr(0, octets.find(' ')));
  }
  if (begins) literal_secret_ = sasl::FindSlip(octets, state_.secret_words()) != Octets::npos;
  literal_due_ = imap::FindLiteral(octets).has_value();
  return !lacks;
}

Answer Talker::Ask(const std::string& line) {
  Settle(options_.wait);
  ForgetAnswers();
  Type(line, false);
  return WaitAnswer();
}

std::vector<Answer> Talker::AskAll(std::span<const std::string> lines) {
  Settle(options_.wait);
  ForgetAnswers();
  for (const std::string& line : lines) Type(line, false);
  std::vector<Answer> answers;
  for (std::size_t i = 0; i < lines.size(); ++i) answers.push_back(WaitAnswer());
  return answers;
}

// The server's go-ahead has begun it already, unless it is wanted without one.
bool Talker::ShakeHands() {
  if (over_) return false;
  if (!state_.tls() && state_.input() != Input::kTls && !busy_) Push({.kind = Order::Kind::kTls, .octets = {}, .typed = false});
  Run([this] { return handshake_done_ || handshake_failed_; }, options_.wait);
  return handshake_done_;
}

Answer Talker::StartTlsByCommand() {
  const Answer answer = Ask(state_.protocol() == Protocol::kPop3 ? "STLS" : "STARTTLS");
  if (answer.ok()) ShakeHands();
  return answer;
}

void Talker::End(bool cut) {
  if (over_) return;
  // Who has said goodbye closes first.
  if (!cut && state_.input() == Input::kOver) Run([this] { return over_; }, kFarewell);
  Push({.kind = cut ? Order::Kind::kDrop : Order::Kind::kClose, .octets = {}, .typed = false});
  Run([this] { return over_; }, std::chrono::seconds(10));
}

Answer Talker::UserAndPassword(const sasl::Credentials& credentials) {
  if (state_.protocol() == Protocol::kImap) {
    const auto quoted = [](const std::string& text) {
      std::string out = "\"";
      for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
      }
      return out + '"';
    };
    return Ask("LOGIN " + quoted(credentials.user) + " " + quoted(credentials.password));
  }
  const Answer user = Ask("USER " + credentials.user);
  return user.ok() ? Ask("PASS " + credentials.password) : user;
}

Answer Talker::LogIn(const std::string& name, const std::string& user) {
  auto credentials = options_.credentials(user);
  if (!credentials) return Trouble(credentials.error()), Answer{.came = false, .late = true, .reply = {}, .heard = {}};
  secrets_.SetUser(credentials->user);
  secrets_.Remember(credentials->password);
  secrets_.Remember(credentials->token);
  sasl::ClientMechanism mechanism = credentials->only;
  if (!name.empty()) {
    const auto parsed = ParseMechanism(name);
    if (!parsed)
      return Trouble({"is no mechanism that is known here", name, {}}),
             Answer{.came = false, .late = true, .reply = {}, .heard = {}};
    mechanism = *parsed;
  }
  if (mechanism == sasl::ClientMechanism::kNone) {
    const std::vector<std::string> offered = state_.Mechanisms();
    mechanism = sasl::ChooseMechanism(offered, *credentials, true);
  }
  if (mechanism == sasl::ClientMechanism::kXoauth2 && credentials->token.empty()) credentials->token = credentials->password;
  if (mechanism != sasl::ClientMechanism::kNone) return SaslLogin(mechanism, *credentials);
  if (state_.protocol() != Protocol::kSmtp) return UserAndPassword(*credentials);
  // The server offers none that is known here: PLAIN is what most would take.
  return SaslLogin(sasl::ClientMechanism::kPlain, *credentials);
}

Answer Talker::SaslLogin(sasl::ClientMechanism mechanism, const sasl::Credentials& credentials) {
  const Protocol protocol = state_.protocol();
  sasl::ClientExchange exchange(mechanism, credentials, network_.randomness);
  std::optional<std::string> initial = exchange.Initial();
  std::string command = (protocol == Protocol::kImap ? "AUTHENTICATE " : "AUTH ") + std::string(sasl::Name(mechanism));
  const bool at_once = protocol == Protocol::kImap
                           ? state_.Offers("SASL-IR")
                           : protocol == Protocol::kSmtp || (initial && command.size() + initial->size() + 3 <= kPop3Line);
  if (initial && at_once) {
    command += " " + (initial->empty() ? "=" : *initial);
    initial.reset();
  }
  Answer answer = Ask(command);
  for (unsigned steps = 0; answer.go_on() && steps < TalkerLimits::kChallenges; ++steps) {
    if (initial) {
      answer = Ask(*std::exchange(initial, std::nullopt));
      continue;
    }
    const auto step = exchange.OnChallenge(Trim(Challenge()));
    if (step == sasl::ClientExchange::Step::kImpostor)
      Trouble({"the server does not know the password, or is another's", {}, {}});
    answer = Ask(step == sasl::ClientExchange::Step::kRespond ? exchange.response() : "*");
  }
  if (answer.ok() && !exchange.Believes()) {
    Trouble({"the server has not proven that it knows the password", {}, {}});
    answer.came = false, answer.late = true;
  }
  return answer;
}

// `as_lines`: with CRLF, dots doubled and the lone dot; else as it is.
bool Talker::SendPieces(std::FILE* file, bool as_lines) {
  text::LineEncoder encoder(true);
  std::uint64_t octets = 0;
  std::string buffer(TalkerLimits::kFilePiece, '\0');
  while (const std::size_t got = std::fread(buffer.data(), 1, buffer.size(), file)) {
    octets += got;
    std::string out;
    const Octets piece(buffer.data(), got);
    as_lines ? encoder.Append(out, piece) : void(out = piece);
    Push({.kind = Order::Kind::kOctets, .octets = std::move(out), .typed = false});
    if (!Run([this] { return orders_.size() < kQueued; }, options_.wait)) return false;
  }
  if (std::ferror(file) != 0) return Trouble({"cannot be read", {}, "the message is not whole: the connection is better cut"});
  if (as_lines) {
    std::string end;
    if (octets > 0) encoder.Finish(end);
    Push({.kind = Order::Kind::kOctets, .octets = end, .typed = false});
    Push({.kind = Order::Kind::kDataLine, .octets = ".\r\n", .typed = false});
  }
  view_.Tell(View::Event::kMessageSent, std::to_string(octets));
  return true;
}

bool Talker::SendFile(const std::string& path) {
  const bool asked = state_.protocol() == Protocol::kImap ? literal_due_ : state_.input() == Input::kData;
  if (!asked && state_.protocol() != Protocol::kPop3)  // each of its lines would be a command
    return Trouble({"the server has not asked for a message", path,
                    "first DATA and its 354 (IMAP: a literal and its +); :raw sends anything"});
  const auto file = Open(path);
  if (!file) return Trouble(file.error());
  return SendPieces(file->get(), state_.protocol() != Protocol::kImap);
}

// The size stands before the octets: a file that changes meanwhile is cut, or given up.
bool Talker::SendChunk(const std::string& path, bool last) {
  const auto file = Open(path);
  if (!file) return Trouble(file.error());
  std::fseek(file->get(), 0, SEEK_END);
  const long size = std::ftell(file->get());
  if (size < 0 || std::fseek(file->get(), 0, SEEK_SET) != 0)
    return Trouble({"has no size", path, "BDAT tells it before the octets"});
  Type("BDAT " + std::to_string(size) + (last ? " LAST" : ""), false);
  chunk_due_ = 0;  // they come from the file
  auto left = static_cast<std::size_t>(size);
  std::string buffer(TalkerLimits::kFilePiece, '\0');
  while (left > 0) {
    const std::size_t got = std::fread(buffer.data(), 1, std::min(buffer.size(), left), file->get());
    if (got == 0) return Trouble({"has become shorter", path, "the server waits for the rest: the connection is better cut"});
    left -= got;
    Push({.kind = Order::Kind::kOctets, .octets = buffer.substr(0, got), .typed = false});
    if (!Run([this] { return orders_.size() < kQueued; }, options_.wait)) return false;
  }
  view_.Tell(View::Event::kMessageSent, std::to_string(size));
  return true;
}

Answer Talker::SendMessage() {
  ForgetAnswers();
  if (!options_.message_file.empty()) {
    if (!SendFile(options_.message_file)) return {.came = false, .late = true, .reply = {}, .heard = {}};
    return WaitAnswer();
  }
  for (Octets rest = options_.message; !rest.empty();) {
    const std::size_t end = std::min(rest.find("\r\n"), rest.size());
    Type(rest.substr(0, end), false);
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  Push({.kind = Order::Kind::kDataLine, .octets = ".\r\n", .typed = false});
  return WaitAnswer();
}

bool Talker::Do(const Step& step, int& status) {
  using Kind = Step::Kind;
  switch (step.kind) {
    case Kind::kSend:
    case Kind::kSendAhead:
      return Type(step.text, false), true;
    case Kind::kBase64:
      return Type(EncodeBase64(step.text), false), true;
    case Kind::kRaw:
      view_.Sent(Masked(step.text, false, false), state_.tls(), false);
      return Push({.kind = Order::Kind::kOctets, .octets = step.text, .typed = false}), true;
    case Kind::kAuth:
      status = kStatusAuth;
      return LogIn(step.text, step.user).ok();
    case Kind::kStartTls:
      status = kStatusTls;
      return StartTlsByCommand().ok() && state_.tls();
    case Kind::kTls:
      status = kStatusTls;
      return ShakeHands();
    case Kind::kSendFile:
      status = kStatusMessage;
      return SendFile(step.text);
    case Kind::kBdat:
      status = kStatusMessage;
      return SendChunk(step.text, step.last);
    case Kind::kWait:
      return Pause(std::chrono::nanoseconds(static_cast<std::int64_t>(step.seconds * 1e9))), true;
    case Kind::kClose:
    case Kind::kDrop:
      return End(step.kind == Kind::kDrop), true;
    case Kind::kExpect:
      break;
  }
  return true;
}

}  // namespace glasspost::agent::talk
