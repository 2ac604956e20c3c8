// The half of TcpConnection that decides when what waits is told, and when what does not come is given up.
#include <algorithm>
#include <utility>

#include "capture/tcp_backlog.h"
#include "capture/tcp_connection.h"

namespace glasspost::capture {

// After every packet that did not take the quick path.
void TcpConnection::Advance(const Origin& now, TcpEvents& events) {
  if (!halves_[0].settled || !halves_[1].settled) Settle(false);
  if (backlog_) {
    Drain(events);
    Relieve(now, events);
    while (ResolveOverdue(now, events)) Drain(events);
    TellReset(false, events);
  }
  EndStep();
}

void TcpConnection::Flush(const Origin& now, TcpEvents& events) {
  Settle(true);
  if (backlog_) {
    for (Side side = 0; side < 2; ++side) DropContradicted(side, true);
    Drain(events);
    while (Resolve(now, events)) Drain(events);
    for (Side side = 0; side < 2; ++side) {  // lost tails
      if (halves_[side].acked > halves_[side].Reach()) DeclareGap(side, halves_[side].acked, now, events);
    }
    TellReset(true, events);
  }
  EndStep();
}

void TcpConnection::EndStep() {
  if (backlog_) {
    for (Side side = 0; side < 2; ++side) {
      auto& marks = backlog_->marks[side];
      const std::int64_t reach = halves_[side].Reach();
      marks.erase(marks.begin(), std::find_if(marks.begin(), marks.end(), [&](const auto& m) { return m.ack > reach; }));
    }
    if (backlog_->Idle()) backlog_.reset();
  }
  const auto plain = [](const Half& h) { return h.settled && h.present && h.fin_at == kNone && !h.mute(); };
  quiet_ = !backlog_ && plain(halves_[0]) && plain(halves_[1]);
}

// If the first packets are over: a side that none of them came from is not captured; a beginning that was not seen is the lowest
// number that was.
void TcpConnection::Settle(bool at_once) {
  const std::uint32_t window = limits_->reorder_window;
  for (Side side = 0; side < 2; ++side) {
    Half& s = halves_[side];
    if (s.settled) continue;
    if (!at_once && (s.present ? static_cast<std::uint32_t>(packets_) - s.first_at < window : packets_ <= window)) continue;
    if (!s.present) {
      s.absent = true;
      s.acked = kNone;
      if (backlog_) backlog_->marks[side].clear();
      if (halves_[1 - side].present) Acknowledge(1 - side, halves_[1 - side].End());
    }
    s.settled = true;
  }
}

HeldPiece TcpConnection::PopHeld(Side side) {
  HeldSegments& held = backlog_->held[side];
  const std::size_t before = held.cost();
  HeldPiece piece = held.PopFront();
  budget_->used -= before - held.cost();
  return piece;
}

// Drops what was told by another way meanwhile.
TcpConnection::Front TcpConnection::FrontOf(Side side) {
  Front front;
  if (!backlog_) return front;
  const Half& s = halves_[side];
  const HeldSegments& held = backlog_->held[side];
  while (!held.empty() && held.front().end() <= s.told) PopHeld(side);
  if (!held.empty() && (s.fin_at == kNone || held.front().offset < s.fin_at)) {
    front = {true, false, held.front().offset, held.front().source};
  } else if (backlog_->fin[side].waits) {
    front = {true, true, s.fin_at, backlog_->fin[side].source};
  }
  return front;
}

// How far the other side's stream must have been told before what carries `ack` may be: no farther than that stream can go, and
// than what is still believed of its acknowledgements.
std::int64_t TcpConnection::Need(Side side, std::int64_t ack) const {
  const Half& o = halves_[1 - side];
  std::int64_t need = std::min(ack, o.acked);
  if (o.fin_at != kNone) need = std::min(need, o.fin_at + 1);
  return need;
}

bool TcpConnection::GateOpen(Side side, std::int64_t ack) const {
  const Half& o = halves_[1 - side];
  if (ack == kNone || o.absent) return true;
  return o.settled && Need(side, ack) <= o.Reach();
}

bool TcpConnection::Ready(Side side, const Front& front) const {
  return front.any && halves_[side].settled && front.offset <= halves_[side].told && GateOpen(side, front.source.acknowledges);
}

void TcpConnection::Drain(TcpEvents& events) {
  for (;;) {
    const std::array<Front, 2> fronts{FrontOf(0), FrontOf(1)};
    const bool ready0 = Ready(0, fronts[0]);
    const bool ready1 = Ready(1, fronts[1]);
    if (!ready0 && !ready1) return;
    const bool first = ready0 && (!ready1 || fronts[0].source.arrival <= fronts[1].source.arrival);
    TellFront(first ? 0 : 1, events);
  }
}

void TcpConnection::TellFront(Side side, TcpEvents& events) {
  Half& s = halves_[side];
  if (FrontOf(side).fin) {
    const Origin origin = backlog_->fin[side].source.origin;
    backlog_->fin[side].waits = false;
    while (!backlog_->held[side].empty()) PopHeld(side);  // after the FIN
    TellFin(side, origin, events);
    return;
  }
  const HeldPiece piece = PopHeld(side);
  const std::int64_t end = s.fin_at == kNone ? piece.end() : std::min(piece.end(), s.fin_at);
  if (!piece.octets) {
    TellGap(side, end, piece.source.origin, events);
    return;
  }
  const char* octets = piece.octets.get() + (s.told - piece.offset);
  TellOctets(side, reinterpret_cast<const std::uint8_t*>(octets), static_cast<std::uint32_t>(end - s.told), piece.source.origin,
             events);
}

// Declares holes lost until what is held keeps the bounds.
void TcpConnection::Relieve(const Origin& now, TcpEvents& events) {
  for (;;) {
    const auto& held = backlog_->held;
    const bool over = held[0].octets() + held[1].octets() > limits_->held_octets || held[0].size() > limits_->held_segments ||
                      held[1].size() > limits_->held_segments || budget_->used > budget_->limit;
    if (!over || (held[0].empty() && held[1].empty())) return;
    Settle(true);
    Drain(events);
    if (!Resolve(now, events)) return;
    Drain(events);
  }
}

// Makes way for what has waited longest. Both sides are settled, and nothing is ready. False: nothing is held.
bool TcpConnection::Resolve(const Origin& now, TcpEvents& events) {
  const std::array<Front, 2> fronts{FrontOf(0), FrontOf(1)};
  if (!fronts[0].any && !fronts[1].any) return false;
  const bool first = fronts[0].any && (!fronts[1].any || fronts[0].source.arrival <= fronts[1].source.arrival);
  const Side side = first ? 0 : 1;
  const Front& front = fronts[static_cast<std::size_t>(side)];
  const Front& other = fronts[static_cast<std::size_t>(1 - side)];
  if (front.offset > halves_[side].told) return DeclareGap(side, front.offset, now, events);
  if (other.any && other.offset <= halves_[1 - side].told) {  // each waits for the other
    TellFront(side, events);
    return true;
  }
  if (!DeclareGap(1 - side, Need(side, front.source.acknowledges), now, events)) TellFront(side, events);
  return true;
}

// One step for holes that were acknowledged `reorder_window` packets ago. True: something changed.
bool TcpConnection::ResolveOverdue(const Origin& now, TcpEvents& events) {
  if (!backlog_ || !halves_[0].settled || !halves_[1].settled) return false;
  std::array<std::int64_t, 2> overdue{kNone, kNone};
  for (Side side = 0; side < 2; ++side) {
    if (DropContradicted(side, false)) return true;
    for (const auto& m : backlog_->marks[side]) {
      if (!Overdue(side, m.at, m.ack)) break;
      overdue[side] = m.ack;
    }
    if (overdue[side] <= halves_[side].Reach()) overdue[side] = kNone;
  }
  if (overdue[0] == kNone && overdue[1] == kNone) return false;
  const std::array<Front, 2> fronts{FrontOf(0), FrontOf(1)};
  const auto stands = [&](Side side) { return fronts[side].any && fronts[side].offset <= halves_[side].told; };
  if (stands(0) && stands(1)) {  // each waits for the other
    if (overdue[0] == kNone || overdue[1] == kNone) return false;
    TellFront(fronts[0].source.arrival <= fronts[1].source.arrival ? 0 : 1, events);
    return true;
  }
  for (Side side = 0; side < 2; ++side) {
    if (overdue[side] != kNone && !stands(side)) return DeclareGap(side, overdue[side], now, events);
  }
  return false;  // it waits for the other side's hole, which has its own time
}

// Whether what was acknowledged beyond what is told, by packet `at` of the connection, can no longer come.
bool TcpConnection::Overdue(Side side, std::uint64_t at, std::int64_t ack) const {
  const Half& s = halves_[side];
  // If the side seemed to go on below it, one more window shows whether that was only captured late (DropContradicted).
  const bool doubtful = ack > s.End() + 1 && backlog_->stood_at[side] > at;
  return s.mute() || at + std::uint64_t{limits_->reorder_window} * (doubtful ? 2 : 1) <= packets_;
}

// An acknowledgement is not true if the side that it is for goes on to send from below it after all that was sent before has been
// captured; at the end of the capture, if it does so at all. True: something was dropped.
bool TcpConnection::DropContradicted(Side side, bool at_end) {
  Half& s = halves_[side];
  auto& marks = backlog_->marks[side];
  const std::uint64_t stood_at = backlog_->stood_at[side];
  bool dropped = false;
  while (!marks.empty() && marks.front().ack > s.End() + 1 &&
         (at_end ? stood_at > marks.front().at : stood_at > marks.front().at + limits_->reorder_window)) {
    marks.erase(marks.begin());
    dropped = true;
  }
  if (dropped && marks.empty()) s.acked = s.Reach();
  return dropped;
}

// Gives up what lies between the side's told octets and `limit`, or less: only up to what comes next in the stream, and only up
// to what the other side's next octets wait for. True: something changed.
bool TcpConnection::DeclareGap(Side side, std::int64_t limit, const Origin& now, TcpEvents& events) {
  Half& s = halves_[side];
  const Half& o = halves_[1 - side];
  const Front front = FrontOf(side);
  std::int64_t to = front.any ? std::min(limit, front.offset) : limit;
  if (const Front other = FrontOf(1 - side); other.any && other.offset <= o.told) {
    const std::int64_t need = Need(1 - side, other.source.acknowledges);
    if (need > s.Reach()) to = std::min(to, need);
  }
  if (to <= s.told) return false;
  if (!front.any && to == s.told + 1) {
    if (s.beyond != 0) return false;
    s.beyond = 1;  // rather a FIN that was lost than one octet
    return true;
  }
  if (s.told == 0 && to == 1 && !s.syn_seen) {
    Rebase(side, s.base + 1);  // no octet: a keep-alive came first, whose sequence number is one less than that of the next octet
    return true;
  }
  const bool never_spoke = said_[side].recent[0].length == 0 && !front.any;
  TellGap(side, to, now, events);
  if (never_spoke && !s.mute()) ++s.silent;
  return true;
}

// A reset waits for the octets before it, as long as a hole is waited for.
void TcpConnection::TellReset(bool at_end, TcpEvents& events) {
  Backlog::PendingReset& r = backlog_->reset;
  if (!r.waits) return;
  const bool drained = backlog_->held[0].empty() && backlog_->held[1].empty() && !backlog_->fin[0].waits &&
                       !backlog_->fin[1].waits && halves_[r.side].Reach() >= r.at;
  if (!at_end && !drained && r.arrival + limits_->reorder_window > packets_) return;
  r.waits = false;
  events.OnTcpReset(r.side, r.origin);
}

static_assert(
    sizeof(TcpConnection) <= 400,
    "hundreds of thousands are open at once; a third of it is the two tails, which buy the comparison of every overlap");

}  // namespace glasspost::capture
