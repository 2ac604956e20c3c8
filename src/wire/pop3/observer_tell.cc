// Telling exchanges and findings, and the hypothesis about the session's state that the findings need.
#include <algorithm>
#include <utility>

#include "base/time_text.h"
#include "wire/pop3/observer.h"
#include "wire/sasl/secrets.h"

namespace glasspost::pop3 {
namespace {

// How one logs in: the command, or the mechanism of AUTH and of the answers that belong to it.
std::string WayIn(const Request& r, const sasl::SaslObserver& sasl) {
  const bool by_mechanism = (r.verb == "*" || r.verb == "AUTH") && !sasl.mechanism_name().empty();
  return by_mechanism ? sasl.mechanism_name() : r.verb;
}

}  // namespace

void Pop3Observer::Tell(FindingId id, std::uint64_t exchange, const Origin& o, std::string detail) {
  if (told_[static_cast<std::size_t>(id)]++ >= limits_.findings_of_a_kind) return;
  sink_.OnFinding({.id = id, .exchange = exchange, .origin = o, .detail = std::move(detail)});
}

void Pop3Observer::PopFront() {
  head_ = (head_ + 1) % ring_.size();
  --count_;
}

void Pop3Observer::TakeFront() {
  taken_ = Front();
  swap(exchange_.request, Front().request);
  pending_octets_ -= taken_.weight;
  PopFront();
  busy_ = true;
  exchange_.number = ++number_;
  exchange_.has_request = true;
  exchange_.phase = PhaseOf(taken_.command, taken_.answer);
  CheckRequest();
}

void Pop3Observer::BeginUnrequested() {
  taken_ = {};
  busy_ = true;
  exchange_.number = ++number_;
  exchange_.phase = last_phase_;
}

Phase Pop3Observer::PhaseOf(Command command, bool answer) const {
  if (answer) return Phase::kAuth;
  const Phase phase = RuleOf(command).phase;
  if (phase != Phase::kConnect) return phase;
  switch (session_) {
    case State::kAuthorization:
      return last_phase_ == Phase::kAuth ? Phase::kAuth : Phase::kGreeting;
    case State::kTransaction:
      return Phase::kRetrieval;
    case State::kUpdate:
      return Phase::kQuit;
    case State::kUnknown:
      return last_phase_;
  }
  return last_phase_;
}

// What the request alone is to blame for, told when all before it has been answered: only then is the state known in which the
// server reads it.
void Pop3Observer::CheckRequest() {
  const Request& r = exchange_.request;
  const Origin o{r.span.frames.last(), r.span.last_time};
  const Command c = taken_.command;
  if (taken_.cleartext && tls_ != Tls::kDone) Tell(FindingId::kCleartextPassword, number_, o, WayIn(r, sasl_));
  if (taken_.bare_lf) Tell(FindingId::kBareCrLf, number_, o, "bare LF");
  if (taken_.answer) return;
  commands_ = true;
  if (c == Command::kQuit) quit_ = true;
  if (c == Command::kUnknown && r.verb != "***") Tell(FindingId::kUnknownCommand, number_, o, r.verb);
  if (!Allowed(c, session_))
    Tell(FindingId::kCommandOutOfOrder, number_, o, r.verb + " in " + std::string(Name(session_)));
  else if (c == Command::kPass && session_ == State::kAuthorization && !user_given_ && !lossy_)
    Tell(FindingId::kCommandOutOfOrder, number_, o, "PASS without USER");
  if (taken_.too_long) Tell(FindingId::kCommandTooLong, number_, o, std::to_string(r.span.length) + " octets");
  if (RuleOf(c).phase == Phase::kAuth && stls_offered_ != 0 && tls_ == Tls::kNone && !before_tls_told_) {
    before_tls_told_ = true;
    Tell(FindingId::kAuthBeforeTls, number_, o, WayIn(r, sasl_));
  }
  if (taken_.pipelined && !pipelining_offered_ && !caps_unknown_ && !lossy_ && !pipelining_told_) {
    pipelining_told_ = true;
    Tell(FindingId::kPipeliningNotOffered, number_, o, r.verb);
  }
}

void Pop3Observer::SetReply(Status status, Octets text, const text::Line& line, const Origin& o) {
  Reply& r = exchange_.reply;
  exchange_.has_reply = true;
  r.status = Name(status);
  r.text.assign(text);
  r.cut = line.cut;
  swap(r.span, server_line_);
  server_line_.Clear();
  lf_server_ = bare_line_end_ = !line.crlf && line.length > 1;  // a LF alone may be the rest of a CRLF that was lost
  if (line.length > limits_.status_octets && status != Status::kContinue)
    Tell(FindingId::kReplyTooLong, number_, o, std::to_string(line.length) + " octets");
}

void Pop3Observer::TellExchange(const Origin& o) {
  if (exchange_.has_request && exchange_.has_reply) {
    // A pipelined command's turn comes with the end of the reply before.
    const Timestamp from = std::max(exchange_.request.span.last_time, last_reply_time_);
    const Timestamp to = exchange_.reply.span.first_time;
    if (from != kNoTime && to != kNoTime && to - from > limits_.slow_reply_ns)
      Tell(FindingId::kSlowReply, number_, o, SecondsText(to - from));
  }
  if (std::exchange(bare_line_end_, false)) Tell(FindingId::kBareCrLf, number_, o, "bare LF");
  if (exchange_.has_reply) last_reply_time_ = exchange_.reply.span.last_time;
  last_phase_ = exchange_.phase;
  sasl::Redact(exchange_, secrets_, taken_.answer || CarriesSecret(taken_.command));
  sink_.OnExchange(exchange_);
  exchange_.Clear();
  busy_ = false;
}

// The reply to a command was lost: what it did is not known any more.
void Pop3Observer::Unlearn() {
  const Command c = taken_.command;
  if (c == Command::kPass || c == Command::kApop || c == Command::kAuth) session_ = State::kUnknown;
  if (c == Command::kUser) user_given_ = true;
  if (c == Command::kCapa) caps_unknown_ = true;
  if (c == Command::kDele || c == Command::kRset) maildrop_.OnDeletions();
}

void Pop3Observer::Unanswered(const Origin& o) {
  TakeFront();
  Unlearn();
  TellExchange(o);
}

void Pop3Observer::UnansweredAll(const Origin& o) {
  while (count_ > 0) Unanswered(o);
}

void Pop3Observer::Learn(Status status, Octets text, const Origin& o) {
  const bool ok = status == Status::kOk;
  const Command c = taken_.command;
  if (ok && session_ == State::kUnknown && RuleOf(c).states == kInTransaction) session_ = State::kTransaction;
  switch (c) {
    case Command::kUser:
      user_given_ = true;
      if (status == Status::kErr) Tell(FindingId::kAuthFailed, number_, o, secrets_.Redacted(text));
      break;
    case Command::kPass:
    case Command::kApop:
      LearnAuth(status, o);
      break;
    case Command::kAuth:
      if (taken_.answer || taken_.shape == Shape::kSingle) LearnAuth(status, o);
      break;
    case Command::kStat:
    case Command::kList: {
      if (!ok || taken_.shape != Shape::kSingle) break;
      if (c == Command::kList) {
        maildrop_.OnListOne(text);
        break;
      }
      std::string wrong = maildrop_.OnStat(text);
      if (!wrong.empty()) Tell(FindingId::kWrongSize, number_, o, std::move(wrong));
      break;
    }
    case Command::kDele:
    case Command::kRset:
      if (!ok) break;
      deletions_ = c == Command::kDele ? deletions_ + 1 : 0;
      maildrop_.OnDeletions();
      break;
    case Command::kQuit:
      if (ok) session_ = State::kUpdate;
      break;
    default:
      break;
  }
}

void Pop3Observer::LearnAuth(Status status, const Origin& o) {
  if (sasl_.active()) sasl_.OnOutcome(status == Status::kOk);
  if (status != Status::kOk)
    return Tell(FindingId::kAuthFailed, number_, o, secrets_.Redacted(exchange_.reply.text, exchange_.reply.cut));
  session_ = State::kTransaction;
  // A mechanism alone gives nothing: what it asks for may still come.
  const std::string& argument = exchange_.request.argument;
  if (taken_.command != Command::kAuth || taken_.answer || argument.find(' ') != std::string::npos) secret_due_ = false;
}

void Pop3Observer::LearnCapabilities(Octets lines) {
  caps_unknown_ = false;
  while (!lines.empty()) {
    const std::size_t end = lines.find('\n');
    const Octets line = lines.substr(0, end);
    const Octets word = line.substr(0, line.find(' '));
    lines = end == Octets::npos ? Octets{} : lines.substr(end + 1);
    if (EqualsNoCase(word, "PIPELINING")) pipelining_offered_ = true;
    if (EqualsNoCase(word, "STLS") && stls_offered_ == 0 && tls_ == Tls::kNone)
      stls_offered_ = number_, stls_offered_at_ = exchange_.reply.span.End();
  }
}

void Pop3Observer::AcceptTls(const Origin& o) {
  const std::uint64_t stls = number_;
  sink_.OnTlsStart(o);
  tls_ = Tls::kAccepted;
  stls_offered_ = 0;
  if (count_ == 0 && client_line_.length == 0) return;
  // Whoever could put words between STLS and the handshake hopes that they are read as if they had come after it (RFC 2595 §4).
  Tell(FindingId::kPlaintextInjection, stls, o);
  PartialClientLine(o);
  UnansweredAll(o);
}

void Pop3Observer::EndFindings(const Origin& o) {
  if (stls_offered_ != 0 && before_tls_told_) Tell(FindingId::kStarttlsNotUsed, stls_offered_, stls_offered_at_);
  const bool encrypted = tls_ == Tls::kAccepted || tls_ == Tls::kOpaque;
  if (!closed_ || !commands_ || quit_ || commands_lost_ || encrypted) return;
  if (deletions_ > 0)
    Tell(FindingId::kDeletionsWithoutQuit, 0, o, std::to_string(deletions_) + (deletions_ == 1 ? " message" : " messages"));
  Tell(FindingId::kNoQuit, 0, o);
}

}  // namespace glasspost::pop3
