// The observer's frame: octets to lines and literals, the queue of exchanges, gaps and ends.
#include "wire/imap/observer.h"

#include <algorithm>

#include "wire/sasl/secrets.h"

namespace glasspost::imap {

ImapObserver::ImapObserver(ObserverSink& sink, const ObserverOptions& options, const ImapLimits& limits)
    : sink_(sink),
      options_(options),
      limits_(limits),
      secrets_(options.show_secrets),
      sides_{Side(limits.line), Side(limits.line)},
      sasl_(options.show_secrets, &secrets_) {}

ImapObserver::~ImapObserver() = default;

void ImapObserver::Entry::Clear() {
  exchange.Clear();
  tag.clear();
  rule = nullptr;
  literals.clear();
  before = {};
  asked.reset();
  owed = 0;
  weight = 0;
  collecting = replied = busy = maybe_lost = malformed = secret = composed = has_text = false;
}

void ImapObserver::OnOctets(Direction direction, Octets octets, const Origin& origin) {
  Side& s = side(direction);
  if (direction == Direction::kToServer && !greeting_seen_ && server().reader.pending() > 0) BreakGreeting();
  while (!octets.empty()) {
    if (mode_ != Mode::kPlain && PassesBy(direction, octets, origin)) {
      s.offset += octets.size();
      return;
    }
    if (s.in_literal) {
      TakeLiteral(direction, octets, origin);
      continue;
    }
    const std::size_t before = octets.size();
    Line line;
    const bool whole = s.reader.Next(octets, line);
    s.offset += before - octets.size();
    if (!whole) return NotePacket(s, origin);
    s.line_at = s.offset - line.length;
    if (!line.crlf && !s.lost && !s.bare_lf_told) {
      s.bare_lf_told = true;
      Find(FindingId::kMalformedLine, 0, origin, "line ended by a bare LF");
    }
    if (direction == Direction::kToServer)
      OnClientLine(line, origin);
    else
      OnServerLine(line, octets, origin);
    s.origins.clear();
  }
}

// Octets that are not IMAP in the clear: TLS whose layer is not in between yet, or compressed ones.
bool ImapObserver::PassesBy(Direction d, Octets octets, const Origin& origin) {
  if (mode_ == Mode::kOpaque) return true;
  // RFC 9051 §6.2.1: nothing but the handshake may follow. A TLS record begins with 20 to 23; what follows the first octet is
  // TLS's.
  const auto first = static_cast<std::uint8_t>(octets.front());
  if (!side(d).tls_begun && (first < 20 || first > 23))
    FindOnce(FindingId::kPlaintextInjection, 0, origin, d == Direction::kToServer ? "client" : "server");
  side(d).tls_begun = true;
  return true;
}

void ImapObserver::NotePacket(Side& s, const Origin& origin) {
  if (!s.origins.empty() && s.origins.back().frame == origin.frame && s.origins.back().time == origin.time) return;
  if (s.origins.size() < limits_.line_packets) s.origins.push_back(origin);
}

void ImapObserver::Touch(Span& span, const Side& s, std::uint64_t begin, std::uint64_t length, const Origin& origin) {
  if (span.length == 0) span.offset = begin;
  span.length = begin + length - span.offset;
  for (const Origin& o : s.origins) span.Touch(o);
  span.Touch(origin);
}

ImapObserver::Entry& ImapObserver::NewEntry(bool has_request) {
  while (!queue_.empty() && (queue_.size() >= limits_.pending || queued_octets_ > limits_.pending_octets)) {
    FindOnce(FindingId::kTooMuch, queue_.front()->exchange.number, {}, "commands without a reply");
    Drop(*queue_.front());
    Flush();
  }
  if (free_.empty()) free_.push_back(std::make_unique<Entry>());
  queue_.push_back(std::move(free_.back()));
  free_.pop_back();
  Entry& e = *queue_.back();
  e.exchange.number = next_number_++;
  e.exchange.has_request = has_request;
  closable_ = closable_ || !has_request;
  e.exchange.phase = phase_;
  return e;
}

// To be called when one of its texts has grown. Frame numbers do not count: a long message has many, and is not to be given up.
void ImapObserver::Weigh(Entry& e) {
  const Exchange& x = e.exchange;
  const std::size_t frames = x.request.span.Held() + x.reply.span.Held();
  const std::size_t weight = e.tag.size() + x.Held() - frames + e.literals.size() * sizeof(ShownLiteral);
  queued_octets_ += weight - e.weight;
  e.weight = weight;
}

// Gives an entry up: whatever still comes for it goes nowhere.
void ImapObserver::Drop(Entry& entry) {
  for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
    Side& s = side(d);
    if (s.owner != &entry) continue;
    CloseMessage(d, true);
    s.use = Use::kSkip;
    s.owner = nullptr;
    (d == Direction::kToServer ? entry.exchange.request.cut : entry.exchange.reply.cut) = true;
  }
  if (entry.collecting) CompleteCommand(entry, {});
  entry.collecting = entry.busy = false;
  entry.replied = true;
}

// Tells what is finished, in the order of the numbers.
void ImapObserver::Flush() {
  std::size_t n = 0;
  for (; n < queue_.size(); ++n) {
    Entry& e = *queue_[n];
    if (!e.replied || e.busy || e.collecting) break;
    sasl::Redact(e.exchange, secrets_, e.composed);
    sink_.OnExchange(e.exchange);
    queued_octets_ -= e.weight;
    e.Clear();
    free_.push_back(std::move(queue_[n]));
  }
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(n));
}

std::size_t ImapObserver::Held() const {
  std::size_t octets = sizeof *this + (queue_.size() + free_.size()) * sizeof(Entry) + queued_octets_ + secrets_.Held() +
                       told_line_.size() + last_tag_.size() + blocking_tag_.size();
  for (const Side& s : sides_) octets += s.reader.held() + s.origins.size() * sizeof(Origin) + s.literal_text.size();
  if (!queue_.empty()) octets += queue_.front()->exchange.request.span.Held() + queue_.front()->exchange.reply.span.Held();
  return octets;
}

void ImapObserver::Find(FindingId id, std::uint64_t exchange, const Origin& origin, Octets detail) {
  constexpr std::size_t kDetail = 200;
  std::uint8_t& told = told_[static_cast<int>(id)];
  if (told >= limits_.findings) return;
  ++told;
  sink_.OnFinding(Finding{id, exchange, origin, std::string(detail.substr(0, kDetail))});
}

void ImapObserver::FindOnce(FindingId id, std::uint64_t exchange, const Origin& origin, Octets detail) {
  if (told_[static_cast<int>(id)] == 0) Find(id, exchange, origin, detail);
}

void ImapObserver::OnGap(Direction direction, std::uint64_t length, const Origin& origin) {
  Side& s = side(direction);
  if (mode_ != Mode::kPlain) {
    s.offset += length;
    return;
  }
  excused_ = true;
  if (s.in_literal) {
    SkipLiteral(direction, length, origin);
    if (length == 0) return;
  }
  FlushPartial(direction, origin);
  s.offset += length;
  s.lost = s.first_lost = true;
  state_known_ = false;
  if (direction == Direction::kToServer) {
    client_lost_ = true;
    if (blocked_) sasl_.OnGap();
    return;
  }
  bool first = true;
  for (auto& e : queue_) {
    if (e->replied || !e->exchange.has_request) continue;
    if (first) e->exchange.reply.cut = true;
    first = false;
    e->maybe_lost = closable_ = true;
  }
  if (blocked_) sasl_.OnGap();
}

// The client speaks before the greeting has ended: told as far as it came, so that no answer is joined to it. What may still
// come of it is passed over.
void ImapObserver::BreakGreeting() {
  Side& s = server();
  if (mode_ != Mode::kPlain || s.lost || s.in_literal || s.continued) return;
  const Line line = s.reader.Partial();
  const Response r = ParseResponse(line.text);
  if (r.kind != Kind::kUntagged || !IsStatus(r.word, true)) return;
  s.line_at = s.offset - line.length;
  s.reading_partial = true;
  OnUntagged(r, line, s.origins.back());
  s.reading_partial = false;
  s.reader.Reset();
  s.origins.clear();
  s.lost = s.first_lost = true;
}

// The line that a gap or the end has cut: told as far as it came.
void ImapObserver::FlushPartial(Direction d, const Origin& origin) {
  Side& s = side(d);
  const bool more = s.reader.pending() > 0;
  if (more && !s.lost) {
    const Line line = s.reader.Partial();
    s.line_at = s.offset - line.length;
    s.reading_partial = true;
    if (d == Direction::kToServer) {
      OnClientLine(line, s.origins.back());
    } else {
      Entry* e = s.owner != nullptr ? s.owner : OldestOpen();
      if (e != nullptr) {
        AppendReply(*e, line.text, !s.continued, true);
        Touch(e->exchange.reply.span, s, s.line_at, line.length, s.origins.back());
        e->exchange.has_reply = true;
      }
    }
  }
  s.reading_partial = false;
  s.reader.Reset();
  s.origins.clear();
  if (s.owner != nullptr) {
    Entry& e = *s.owner;
    if (d == Direction::kToServer) {
      e.exchange.request.cut = true;
      if (e.collecting) CompleteCommand(e, origin);
    } else {
      e.exchange.reply.cut = true;
      e.busy = false;
    }
  }
  s.owner = nullptr;
  s.continued = false;
  Flush();
}

void ImapObserver::OnFin(Direction direction, const Origin& /*origin*/) {
  if (!closed_) client_closed_ = direction == Direction::kToServer;
  closed_ = true;
}

void ImapObserver::OnEnd(const Origin& origin, bool reset) {
  if (ended_) return;
  ended_ = true;
  for (const Side& s : sides_)
    if (reset && s.in_literal && s.message_open) FindOnce(FindingId::kResetDuringData, s.owner_number, origin, {});
  EndEverything(origin);
  if (auth_offered_in_ != 0) FindOnce(FindingId::kAuthBeforeTls, auth_offered_in_, auth_offered_at_, auth_offered_);
  const bool could_tell = mode_ == Mode::kPlain && !client_lost_ && !server_only_ && !client_only_;
  if ((client_closed_ || (reset && !closed_)) && commands_seen_ && !logout_seen_ && !bye_seen_ && could_tell)
    Find(FindingId::kNoQuit, 0, origin, "no LOGOUT");
}

void ImapObserver::EndEverything(const Origin& origin) {
  for (const Direction d : {Direction::kToServer, Direction::kToClient}) {
    Side& s = side(d);
    if (s.in_literal) {
      CloseMessage(d, true);
      if (s.owner != nullptr) (d == Direction::kToServer ? s.owner->exchange.request.cut : s.owner->exchange.reply.cut) = true;
      s.in_literal = false;
      s.literal_left = 0;
    }
    FlushPartial(d, origin);
  }
  for (auto& e : queue_) e->replied = true;
  Flush();
}

void ImapObserver::OnMidStream() {
  for (Side& s : sides_) s.lost = s.first_lost = true;
  state_known_ = false;
  excused_ = true;
  greeting_seen_ = true;
  phase_ = Phase::kRetrieval;
}

void ImapObserver::OnOneSided(Direction seen) {
  client_only_ = seen == Direction::kToServer;
  server_only_ = !client_only_;
  excused_ = true;
  state_known_ = false;
}

// STARTTLS was accepted: both streams are TLS from here on. `rest`: what the server sent after the line in the same piece.
void ImapObserver::StartTls(const Origin& origin, Octets rest) {
  const bool partial = client().reader.pending() > 0 || client().in_literal;
  std::string injected;
  std::uint64_t number = 0;
  for (auto& e : queue_) {
    if (!e->exchange.has_request || e->replied) continue;
    if (number == 0) number = e->exchange.number;
    injected += (injected.empty() ? "" : ", ") + e->exchange.request.verb;
  }
  if (!injected.empty() || partial)
    FindOnce(FindingId::kPlaintextInjection, number, origin, injected.empty() ? Octets("client") : Octets(injected));
  EndEverything(origin);
  blocked_ = asked_ = false;
  mode_ = Mode::kTlsExpected;
  for (Side& s : sides_) s.tls_begun = false;
  sink_.OnTlsStart(origin);
  if (!rest.empty()) PassesBy(Direction::kToClient, rest, origin);
}

void ImapObserver::OnTlsEstablished(const Origin& origin) {
  EndEverything(origin);
  blocked_ = asked_ = false;
  tls_ = true;
  mode_ = Mode::kPlain;
  // RFC 9051 §6.2.1: what was known of the server before is forgotten.
  starttls_offered_ = false;
  for (Side& s : sides_) {
    s.reader.Reset();
    s.origins.clear();
    s.lost = false;
  }
}

}  // namespace glasspost::imap
