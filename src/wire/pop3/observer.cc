// The client's side of a POP3 conversation, and the entrances.
#include "wire/pop3/observer.h"

#include <algorithm>
#include <utility>

#include "base/redaction.h"
#include "wire/sasl/secrets.h"

namespace glasspost::pop3 {
namespace {

constexpr std::size_t kLineEnd = 2;  // CRLF

// A TLS record's first octet: change cipher spec to application data (RFC 8446 §5.1).
bool IsTlsRecord(char c) { return c >= 0x14 && c <= 0x17; }

}  // namespace

Pop3Observer::Pop3Observer(ObserverSink& sink, const ObserverOptions& options, const Pop3Limits& limits)
    : sink_(sink),
      options_(options),
      limits_(limits),
      secrets_(options.show_secrets),
      sasl_(options.show_secrets, &secrets_),
      maildrop_(limits.listed),
      client_lines_(limits.line_octets),
      server_lines_(limits.line_octets),
      broken_line_(limits.line_octets) {}

void Pop3Observer::OnOctets(Direction direction, Octets octets, const Origin& origin) {
  if (octets.empty() || ended_) return;
  any_octets_ = true;
  // Whatever was said of sides that are not captured: this one is.
  (direction == Direction::kToServer ? client_seen_ : server_seen_) = true;
  if (direction == Direction::kToServer)
    FromClient(octets, origin);
  else
    FromServer(octets, origin);
}

void Pop3Observer::OnGap(Direction direction, std::uint64_t length, const Origin& origin) {
  if (ended_) return;
  any_octets_ = true;
  if (direction == Direction::kToServer)
    ClientGap(length, origin);
  else
    ServerGap(length, origin);
}

void Pop3Observer::OnFin(Direction, const Origin&) { closed_ = true; }

void Pop3Observer::OnEnd(const Origin& origin, bool reset) {
  if (ended_) return;
  ended_ = true;
  closed_ |= reset;
  if (tls_ != Tls::kOpaque) {
    PartialServerLine(origin);
    if (state_ == ServerState::kStray) FinishStray(origin);
    if (reset && state_ == ServerState::kMessage) Tell(FindingId::kResetDuringData, number_, origin);
    if (state_ == ServerState::kLines || state_ == ServerState::kMessage) FinishBody(true, server_at_, origin);
    PartialClientLine(origin);
    UnansweredAll(origin);
  }
  EndFindings(origin);
}

void Pop3Observer::OnMidStream() {
  client_resync_ = lossy_ = caps_unknown_ = true;
  greeting_due_ = false;
  session_ = State::kUnknown;
  last_phase_ = Phase::kRetrieval;
  BeginStray(false, false, 0);
}

void Pop3Observer::OnOneSided(Direction seen) {
  client_seen_ = seen == Direction::kToServer;
  server_seen_ = seen == Direction::kToClient;
  session_ = State::kUnknown;
  lossy_ = caps_unknown_ = true;
  if (!server_seen_) greeting_due_ = false;
}

std::size_t Pop3Observer::Held() const {
  return sizeof *this + ring_.size() * sizeof(Pending) + pending_octets_ + exchange_.Held() + maildrop_.Held() +
         client_lines_.held() + server_lines_.held() + broken_line_.held() + client_line_.Held() + server_line_.Held() +
         broken_span_.Held() + probe_.size() + secrets_.Held() + told_line_.size();
}

void Pop3Observer::OnTlsEstablished(const Origin& origin) {
  if (any_octets_) {
    if (state_ == ServerState::kStray) FinishStray(origin);
    if (state_ == ServerState::kLines || state_ == ServerState::kMessage) FinishBody(true, server_at_, origin);
    UnansweredAll(origin);
    greeting_due_ = false;  // RFC 2595 §4: no second greeting
    session_ = State::kAuthorization;
  }
  client_lines_.Reset(), server_lines_.Reset();
  broken_line_.Clear();
  client_line_.Clear(), server_line_.Clear();
  // All that was learned in the clear is void (RFC 2595 §4).
  pipelining_offered_ = user_given_ = answer_expected_ = client_resync_ = false;
  status_gap_ = drop_fragment_ = caps_unknown_ = false;
  stls_offered_ = 0;
  lost_ = 0;
  sasl_.Reset();
  maildrop_.Clear();
  tls_ = Tls::kDone;
}

bool Pop3Observer::IsTls(Octets in, const Origin& o) {
  if (tls_ != Tls::kAccepted) return tls_ == Tls::kOpaque;
  tls_ = IsTlsRecord(in.front()) ? Tls::kOpaque : Tls::kNone;
  if (tls_ == Tls::kOpaque) return true;
  Tell(FindingId::kPlaintextInjection, number_, o);
  return false;
}

void Pop3Observer::FromClient(Octets in, const Origin& o) {
  text::Line line;
  while (!in.empty()) {
    BreakServerLine();
    // STLS whose +OK was lost: the handshake itself says that it was accepted.
    if (count_ > 0 && Front().command == Command::kStls && status_gap_ && client_line_.length == 0 && in.front() == 0x16) {
      Unanswered(o);
      AcceptTls(o);
    }
    if (IsTls(in, o)) {
      client_at_ += in.size();
      return;
    }
    if (client_line_.length == 0) client_line_.offset = client_at_;
    const std::size_t before = in.size();
    const auto step = client_lines_.Next(in, line);
    client_at_ += before - in.size();
    client_line_.length += before - in.size();
    client_line_.Touch(o);
    if (step == text::LineSplitter::Step::kMore) return;
    ClientLine(line, o);
    client_line_.Clear();
  }
}

void Pop3Observer::ClientLine(const text::Line& line, const Origin& o) {
  if (answer_expected_) return ClientAnswer(line, o);
  const CommandLine c = ParseCommand(line.text);
  if (client_resync_) {
    // After a loss a line may be the rest of one, or an answer to a challenge: nothing to show unless it is a command.
    if (c.command == Command::kUnknown) {
      if (last_phase_ != Phase::kRetrieval) sasl::RememberTail(line.text, secrets_);
      return;
    }
    client_resync_ = false;
  }
  if (sasl_.active() && c.command == Command::kUnknown) return ClientAnswer(line, o);
  ClientCommand(c.command == Command::kUnknown ? HideUnknown(line) : c, line, o);
}

// Where a login has begun it may be the secret that belongs to it; else it is looked for in the line.
CommandLine Pop3Observer::HideUnknown(const text::Line& line) {
  if (options_.show_secrets) return ParseCommand(line.text);
  const std::size_t at = secret_due_ ? sasl::FindDueSecret(line.text, kSecretWords) : sasl::FindSlip(line.text, kSecretWords);
  const std::size_t length = line.cut ? std::max<std::size_t>(line.length - kLineEnd, line.text.size()) : line.text.size();
  told_line_ = at == Octets::npos ? secrets_.Redacted(line.text, line.cut) : sasl::HideFrom(line.text, at, length, secrets_);
  secret_due_ |= at != Octets::npos;
  CommandLine told = ParseCommand(told_line_);
  told.command = Command::kUnknown;
  return told;
}

void Pop3Observer::ClientAnswer(const text::Line& line, const Origin& o) {
  Outran(o);  // answers without waiting are no pipelining
  if (!sasl_.active()) sasl_.Begin("", std::nullopt, step_);
  answer_expected_ = client_resync_ = false;
  Pending& p = Push(line);
  p.answer = true;
  p.command = Command::kAuth;
  p.request.verb = "*";
  sasl_.OnResponse(line.text, step_, line.cut ? line.length - kLineEnd : sasl::SaslObserver::kWhole);
  p.request.argument.swap(step_.shown_argument);
  p.request.decoded.swap(step_.decoded);
  p.request.sasl = step_.content;
  p.cleartext = step_.content == SaslContent::kPassword || step_.content == SaslContent::kCredentials ||
                step_.content == SaslContent::kToken;
  TellRequest(p);
  if (!server_seen_) Unanswered(o);
}

// Before its reply.
void Pop3Observer::TellRequest(const Pending& p) {
  if (!options_.requests) return;
  Exchange told;
  told.has_request = true;
  told.phase = PhaseOf(p.command, p.answer);
  told.request = p.request;
  sasl::Redact(told, secrets_, CarriesSecret(p.command));
  sink_.OnRequest(told);
}

void Pop3Observer::ClientCommand(const CommandLine& c, const text::Line& line, const Origin& o) {
  const bool outran = Outran(o);
  pipeliner_ |= outran;
  if (!outran) queue_gap_ = false;
  if (count_ == 0 && !busy_ && sasl_.active()) sasl_.Reset();
  commands_lost_ = false;
  Pending& p = Push(line);
  p.pipelined = outran;
  p.command = c.command;
  if (c.command == Command::kUnknown)
    p.request.SetVerb(UpperCase(c.verb), c.verb);
  else
    p.request.SetVerb(Name(c.command), c.verb);
  p.shape = ShapeOf(c.command, !c.argument.empty());
  // The argument may be what is missing.
  if (line.cut && c.argument.empty() && p.shape != ShapeOf(c.command, true)) p.shape = Shape::kUnknown;
  p.too_long = line.length > limits_.command_octets && c.command != Command::kAuth;
  std::size_t octets = c.argument.size();
  if (c.command != Command::kUnknown) {
    if (line.cut && octets > 0) octets = line.length - kLineEnd - static_cast<std::size_t>(c.argument.data() - line.text.data());
    const bool given = octets > 0 && (c.command == Command::kPass || c.command == Command::kApop);
    secret_due_ = CarriesSecret(c.command) && !given;
  }
  FillArgument(p, c, octets, line.cut);
  TellRequest(p);
  if (!server_seen_) Unanswered(o);
}

void Pop3Observer::FillArgument(Pending& p, const CommandLine& c, std::size_t octets, bool cut) {
  std::string& out = p.request.argument;
  const auto secret = [&](Octets text, std::size_t length) {
    secrets_.Remember(Trim(text), !cut);
    if (options_.show_secrets)
      out.append(text);
    else if (length > 0)
      out.append(Mask(length));
  };
  const auto user = [&](Octets name) {
    if (secrets_.Knows(name)) return out.assign(Mask(name)), void();  // it was meant as the password
    if (!name.empty()) secrets_.SetUser(name);
    out.assign(name);
  };
  switch (c.command) {
    case Command::kUser:
      return user(c.argument);
    case Command::kPass:
      p.cleartext = !c.argument.empty();
      return secret(c.argument, octets);
    case Command::kApop: {
      const std::size_t space = std::min(c.argument.find(' '), c.argument.size());
      user(c.argument.substr(0, space));
      if (space == c.argument.size()) return;
      out.push_back(' ');
      return secret(c.argument.substr(space + 1), octets - space - 1);
    }
    case Command::kAuth:
      return FillAuth(p, c.argument, octets, cut);
    case Command::kUnknown:
      p.cleartext = !c.argument.empty() && StartsWithNoCase(c.verb, "PASS");  // PASSWD, PASSWORD; masked already
      [[fallthrough]];
    default:
      out.assign(c.argument);
  }
}

void Pop3Observer::FillAuth(Pending& p, Octets argument, std::size_t octets, bool cut) {
  if (argument.empty()) return;
  const std::size_t space = argument.find_first_of(" \t");
  const Octets mechanism = argument.substr(0, space);
  const Octets initial = space == Octets::npos ? Octets{} : Trim(argument.substr(space));
  if (!sasl::IsMechanismName(mechanism)) {
    secrets_.RememberText(argument, !cut);
    p.request.argument = options_.show_secrets ? std::string(argument) : Mask(octets);
    return;
  }
  const std::size_t before = initial.empty() ? 0 : static_cast<std::size_t>(initial.data() - argument.data());
  sasl_.Begin(mechanism, initial.empty() ? std::nullopt : std::optional(initial), step_,
              cut ? octets - before : sasl::SaslObserver::kWhole);
  p.request.argument.assign(mechanism);
  if (!initial.empty()) p.request.argument.append(" ").append(step_.shown_argument);
  p.request.decoded.swap(step_.decoded);
  p.request.sasl = step_.content;
  p.cleartext = sasl_.password_seen();
}

Pop3Observer::Pending& Pop3Observer::Push(const text::Line& line) {
  if (count_ >= limits_.pending || pending_octets_ > limits_.pending_octets)
    GiveUpPending({client_line_.frames.last(), client_line_.last_time});
  if (count_ == ring_.size()) {
    std::vector<Pending> larger(std::max<std::size_t>(4, ring_.size() * 2));
    for (std::size_t i = 0; i < count_; ++i) larger[i] = std::move(At(i));
    ring_ = std::move(larger);
    head_ = 0;
  }
  Pending& p = At(count_++);
  p.Clear();
  swap(p.request.span, client_line_);
  p.request.cut = line.cut;
  p.bare_lf = !line.crlf;
  pending_octets_ += p.weight = line.text.size();
  p.lost_before = std::exchange(lost_, 0);
  return p;
}

// Too many commands wait: they are told as they are, and what is still to come for them is read as replies without request.
void Pop3Observer::GiveUpPending(const Origin& o) {
  Tell(FindingId::kTooMuch, 0, o, "commands that wait for a reply");
  lossy_ = true;
  if (state_ == ServerState::kStray) FinishStray(o);
  if (busy_) {
    FinishBody(true, server_at_, o);
    BeginStray(false, false, 2);
  }
  UnansweredAll(o);
}

bool Pop3Observer::Outran(const Origin& o) {
  if (!server_seen_) return false;
  if (state_ == ServerState::kStray) {
    if (pipeliner_) return stray_trust_ = true;
    FinishStray(o);
    BreakServerLine();
    if (count_ > 0) return true;
    status_gap_ = false;
    lost_ = 0;
    return false;
  }
  if (busy_) {
    if (pipeliner_ || count_ > 0 || (!body_gap_ && !loose_end_)) return true;
    FinishBody(!loose_end_, server_line_.length > 0 ? server_line_.offset : server_at_, o);
    BreakServerLine();
    lost_ = 0;
    return false;
  }
  const bool reply_lost = status_gap_ && !pipeliner_;
  if (count_ > 0 && !reply_lost) return true;
  if (greeting_due_ && !reply_lost && count_ == 0) return true;
  if (reply_lost) {
    UnansweredAll(o);
    greeting_due_ = false;
  }
  status_gap_ = false;
  if (!pipeliner_) lost_ = 0;  // it would not speak if the reply to what was lost were still to come
  return false;
}

// A command that a loss (or the end) cut off behind its verb.
bool Pop3Observer::PartialClientLine(const Origin& o) {
  if (client_line_.length == 0) return false;
  Octets text = client_lines_.partial();
  if (text.ends_with('\r')) text.remove_suffix(1);
  const text::Line line{.text = text, .crlf = true, .cut = true, .length = client_lines_.pending() + kLineEnd};
  const CommandLine c = ParseCommand(line.text);
  bool told = true;
  if (answer_expected_)
    ClientAnswer(line, o);
  else if (c.command != Command::kUnknown)
    ClientCommand(c, line, o);
  else if (secret_due_)
    secrets_.RememberText(text, false), told = false;
  else
    told = false;
  client_lines_.Reset();
  client_line_.Clear();
  return told;
}

void Pop3Observer::ClientGap(std::uint64_t length, const Origin& o) {
  if (tls_ != Tls::kOpaque) {
    const bool told = PartialClientLine(o);
    // What a client says, lost or not, it says after the reply before: if that reply was lost too, it will not come any more.
    if (!busy_ && status_gap_ && !pipeliner_ && !told) {
      UnansweredAll(o);
      status_gap_ = greeting_due_ = false;
    }
    if (!told) ++lost_;
    if (state_ == ServerState::kStray) stray_trust_ = true;
    client_resync_ = commands_lost_ = lossy_ = true;
    answer_expected_ = false;
    if (sasl_.active()) sasl_.OnGap();
    session_ = State::kUnknown;
  }
  client_at_ += length;
}

}  // namespace glasspost::pop3
