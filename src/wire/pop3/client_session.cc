// Frame, opening and login: here; so are orders and their replies, at the end.
#include "wire/pop3/client_session.h"

#include <algorithm>
#include <utility>

#include "base/time_text.h"
#include "wire/pop3/apop.h"

namespace glasspost::pop3 {
namespace {

using Kind = ClientOutcome::Kind;

// "<1896.697170952@host>" in a greeting (RFC 1939 §7); empty if there is none.
Octets ChallengeIn(Octets greeting) {
  const std::size_t begin = greeting.find('<');
  if (begin == Octets::npos) return {};
  const std::size_t end = greeting.find('>', begin);
  if (end == Octets::npos) return {};
  const Octets found = greeting.substr(begin, end - begin + 1);
  return found.contains('@') ? found : Octets{};
}

// What would not stay within its command.
bool Sendable(Octets text) { return text.find_first_of(Octets("\r\n\0", 3)) == Octets::npos; }

bool WorthAnotherTry(Octets code) {
  return EqualsNoCase(code, "IN-USE") || EqualsNoCase(code, "LOGIN-DELAY") || EqualsNoCase(code, "SYS/TEMP");
}

}  // namespace

ClientSession::ClientSession(ClientHandler& handler, const ClientOptions& options, Randomness& randomness)
    : handler_(handler), options_(options), randomness_(randomness), lines_(options.limits.line_octets) {}
ClientSession::~ClientSession() = default;

void ClientSession::Start(bool tls) { tls_ = tls; }

ClientSession::Next ClientSession::next() const {
  if (!output().empty()) return Next::kWrite;
  if (closed_) return Next::kClose;
  if (handshake_) return Next::kTls;
  const bool idle = state_ == State::kTransaction && orders_.empty() && body_ == Body::kNone;
  return idle ? Next::kReady : Next::kRead;
}

void ClientSession::Sent(std::size_t octets) {
  sent_octets_ += std::min(octets, output_.size() - sent_octets_);
  if (sent_octets_ < output_.size()) return;
  std::string().swap(output_);
  sent_octets_ = 0;
}

void ClientSession::Receive(Octets input) {
  text::Line line;
  while (!input.empty() && !closed_) {
    if (handshake_) return End(Kind::kInjected, "octets came between STLS and the handshake");
    if (body_ == Body::kMessage) {
      FeedMessage(input);
    } else if (lines_.Next(input, line) == text::LineSplitter::Step::kLine) {
      OnLine(line);
    } else if (lines_.pending() > options_.limits.line_octets + 1) {  // its CR may be there, and the LF yet to come
      return End(Kind::kTooMuch, "a line without end");
    }
  }
}

void ClientSession::OnLine(const text::Line& line) {
  if (line.cut) return End(Kind::kTooMuch, "a line without end");
  if (body_ == Body::kLines) return OnBodyLine(line.text);
  OnStatus(line.text);
}

void ClientSession::OnStatus(Octets line) {
  ++answered_;
  const StatusLine s = ParseStatus(line, sasl_ != nullptr);
  const bool challenge = s.status == Status::kContinue;
  if (s.status == Status::kNone || (challenge && !sasl_)) return End(Kind::kNonsense, "no status line where one is due");
  if (state_ == State::kAuthorization) return OnOpening(s);
  if (sent_orders_ == 0) return End(Kind::kNonsense, "a reply to no command");
  OnOrder(s);
}

void ClientSession::Say(Command command, Octets argument) {
  opening_ = command;
  output_ += ToOctets(CommandLine{.command = command, .verb = {}, .argument = argument});
}

// ---- the opening: greeting, CAPA, STLS, CAPA anew, UTF8, login ----

void ClientSession::OnOpening(const StatusLine& s) {
  switch (opening_) {
    case Command::kUnknown:
      return OnGreeting(s);
    case Command::kCapa:
      return OnCapa(s);
    case Command::kStls:
      return OnStls(s);
    case Command::kUtf8:  // refused or not: without it, what needs it cannot be had, and all else can
      return LogIn();
    case Command::kAuth:
      return OnSasl(s);
    case Command::kUser:
      if (s.status == Status::kErr) return End(WorthAnotherTry(s.code) ? Kind::kLoginLater : Kind::kLoginRefused, s);
      return Say(Command::kPass, options_.credentials->password);
    default:
      return OnLogin(s);
  }
}

void ClientSession::OnGreeting(const StatusLine& s) {
  if (s.status != Status::kOk) return End(Kind::kRefused, s);
  challenge_.assign(ChallengeIn(s.text));
  if (options_.capabilities) return Say(Command::kCapa);
  AfterCapa();
}

// A server that does not know CAPA is an old one, and is taken as RFC 1939 has it.
void ClientSession::OnCapa(const StatusLine& s) {
  capabilities_ = {};
  body_count_ = 0;
  if (s.status == Status::kErr) return AfterCapa();
  capabilities_.known = true;
  body_ = Body::kLines;
}

void ClientSession::AfterCapa() {
  const bool wanted = !tls_ && options_.tls != ClientOptions::Tls::kNever;
  if (wanted && capabilities_.stls) return Say(Command::kStls);
  if (wanted && options_.tls == ClientOptions::Tls::kRequired) return End(Kind::kNoTls, "the server does not offer STLS");
  BeginLogin();
}

void ClientSession::OnStls(const StatusLine& s) {
  if (s.status == Status::kOk) {
    handshake_ = true;
    return;
  }
  if (options_.tls == ClientOptions::Tls::kRequired) return End(Kind::kNoTls, s);
  BeginLogin();
}

// What was said before counts no more (RFC 2595 §4).
void ClientSession::TlsStarted() {
  if (closed_ || !handshake_) return;
  handshake_ = false;
  tls_ = true;
  lines_.Reset();
  Say(Command::kCapa);
}

void ClientSession::TlsFailed(std::string_view why) {
  if (!closed_) End(Kind::kTlsFailed, why);
}

// UTF8 comes after STLS, which it rules out, and before the login (RFC 6856 §2.1).
void ClientSession::BeginLogin() {
  if (!options_.credentials) return End(Kind::kNoMechanism, "no credentials were given");
  if (capabilities_.utf8) return Say(Command::kUtf8);
  LogIn();
}

void ClientSession::LogIn() {
  const sasl::Credentials& c = *options_.credentials;
  const auto mechanism = sasl::ChooseMechanism(capabilities_.mechanisms, c, PasswordMayTravel());
  if (mechanism != sasl::ClientMechanism::kNone) {
    sasl_ = std::make_unique<sasl::ClientExchange>(mechanism, c, randomness_);
    // Within the line that RFC 2449 §4 allows, the initial response spares a round.
    constexpr std::size_t kLineOctets = 255;
    std::string argument(sasl::Name(mechanism));
    auto initial = sasl_->Initial();
    if (initial && initial->empty()) initial = "=";
    const bool fits = initial && sizeof "AUTH  \r\n" + argument.size() + initial->size() <= kLineOctets;
    refusal_.text = initial && !fits ? *initial : "";  // kept for the empty challenge that asks for it
    if (fits) argument.append(" ").append(*initial);
    return Say(Command::kAuth, argument);
  }
  if (!Sendable(c.user) || !Sendable(c.password) || c.user.empty() || !c.token.empty())
    return End(Kind::kNoMechanism, "no mechanism that both sides have");
  if (PasswordMayTravel()) return Say(Command::kUser, c.user);
  if (options_.apop && !challenge_.empty()) return Say(Command::kApop, c.user + " " + ApopDigest(challenge_, c.password));
  End(Kind::kNoMechanism, "no way to log in that does not show the password");
}

void ClientSession::OnSasl(const StatusLine& s) {
  if (cancelled_) return End(refusal_.kind, refusal_.text);
  if (s.status == Status::kErr) return OnLogin(s);
  if (s.status == Status::kOk) {
    if (!sasl_->Believes()) return End(Kind::kImpostor, "the server has not proven that it knows the account");
    return OnLogin(s);
  }
  if (++challenges_ > options_.limits.challenges) return Cancel(Kind::kTooMuch, "challenges without end");
  if (!refusal_.text.empty()) {  // the initial response, which was too long for its line
    output_.append(std::exchange(refusal_.text, {})).append("\r\n");
    return;
  }
  switch (sasl_->OnChallenge(s.text)) {
    case sasl::ClientExchange::Step::kRespond:
      output_.append(sasl_->response()).append("\r\n");
      return;
    case sasl::ClientExchange::Step::kImpostor:
      return Cancel(Kind::kImpostor, "the server does not know what it should");
    case sasl::ClientExchange::Step::kMalformed:
      return Cancel(Kind::kNonsense, "a challenge that is none");
  }
}

// RFC 5034 §4: the server answers "*" with -ERR.
void ClientSession::Cancel(Kind why, std::string_view text) {
  cancelled_ = true;
  refusal_.kind = why;
  refusal_.text = text;
  output_ += "*\r\n";
}

void ClientSession::OnLogin(const StatusLine& s) {
  if (s.status != Status::kOk) return End(WorthAnotherTry(s.code) ? Kind::kLoginLater : Kind::kLoginRefused, s);
  sasl_.reset();
  state_ = State::kTransaction;
  handler_.OnReady();
}

// ---- orders ----

void ClientSession::Give(Order order) {
  if (closed_ || quitting_ || state_ != State::kTransaction) return;
  quitting_ = order.command == Command::kQuit;
  orders_.push_back(order);
  Fill();
}

void ClientSession::Fill() {
  const std::size_t window = options_.pipelining && capabilities_.pipelining ? options_.limits.window : 1;
  while (sent_orders_ < std::min(window, orders_.size())) {
    const Order& o = orders_[sent_orders_++];
    output_ += Name(o.command);
    if (o.number != 0) output_ += ' ', AppendNumber(output_, o.number);
    if (o.command == Command::kTop) output_ += ' ', AppendNumber(output_, o.lines);
    output_ += "\r\n";
  }
}

void ClientSession::OnOrder(const StatusLine& s) {
  const Order order = orders_.front();
  if (order.command == Command::kQuit) {
    orders_.clear();
    return End(s.status == Status::kOk ? Kind::kDone : Kind::kRefused, s);
  }
  const Shape shape = s.status == Status::kOk ? ShapeOf(order.command, order.number != 0) : Shape::kSingle;
  handler_.OnReply(order.command, order.number, s);
  if (closed_) return;
  body_count_ = 0;
  if (shape == Shape::kListing) {
    body_ = Body::kLines;
  } else if (shape == Shape::kMessage || shape == Shape::kText) {
    body_ = Body::kMessage;
    decoder_.Reset();
  } else {
    const bool lists = order.command == Command::kStat || order.command == Command::kList || order.command == Command::kUidl;
    if (lists && s.status == Status::kOk) {
      const auto line = ParseListing(s.text);
      if (!line) return End(Kind::kNonsense, "no numbers where they are due");
      handler_.OnListed(order.command, *line);
    }
    EndBody();
  }
}

void ClientSession::OnBodyLine(Octets line) {
  if (line == ".") return EndBody();
  if (line.starts_with('.')) line.remove_prefix(1);  // RFC 1939 §3
  if (++body_count_ > options_.limits.listed) return End(Kind::kTooMuch, "a list without end");
  if (state_ == State::kAuthorization) return capabilities_.Learn(line);
  const auto listing = ParseListing(line);
  if (!listing) return End(Kind::kNonsense, "a line of a list without number");
  handler_.OnListed(orders_.front().command, *listing);
}

// Of the message that comes.
std::uint64_t ClientSession::MostOctets() const {
  const std::uint64_t most = options_.limits.message_octets;
  const std::uint64_t ordered = orders_.front().most;
  return ordered == 0 ? most : std::min(most, ordered);
}

void ClientSession::FeedMessage(Octets& input) {
  const std::uint64_t most = MostOctets();
  const auto step = decoder_.Feed(input, [this, most](Octets octets) {
    body_count_ += octets.size();
    if (!closed_ && body_count_ <= most) handler_.OnMessageOctets(octets);
  });
  input.remove_prefix(step.taken);  // look-alikes are passed over: only CRLF.CRLF ends it
  if (closed_) return;
  if (body_count_ > most) return End(Kind::kTooMuch, "a message without end");
  if (step.done) EndBody();
}

// The reply at hand is whole.
void ClientSession::EndBody() {
  const bool many = body_ != Body::kNone;
  body_ = Body::kNone;
  ++answered_;
  if (state_ == State::kAuthorization) return AfterCapa();
  const Order order = orders_.front();
  orders_.pop_front();
  --sent_orders_;
  if (many) handler_.OnEnd(order.command, order.number);
  if (!closed_) Fill();
}

// ---- the end ----

void ClientSession::End(ClientOutcome outcome) {
  outcome.during = opening_;
  if (state_ != State::kAuthorization) outcome.during = orders_.empty() ? Command::kUnknown : orders_.front().command;
  if (outcome.kind == Kind::kDone || outcome.kind == Kind::kRefused) outcome.during = quitting_ ? Command::kQuit : opening_;
  closed_ = true;
  body_ = Body::kNone;
  orders_.clear();
  sent_orders_ = 0;
  sasl_.reset();
  std::string().swap(output_);
  sent_octets_ = 0;
  handler_.OnClosed(outcome);
}

void ClientSession::TimedOut() {
  if (!closed_) End(Kind::kTimedOut, "the server has said nothing for too long");
}

void ClientSession::Closed() {
  if (!closed_) End(Kind::kLost, "the connection was closed");
}

}  // namespace glasspost::pop3
