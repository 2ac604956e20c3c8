#include "capture/tcp_connection.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "capture/tcp_backlog.h"

namespace glasspost::capture {
namespace {

// No window is larger (RFC 7323 §2.3), so no true number lies farther from what was seen. Stops a forged or damaged
// acknowledgement or sequence number from making a gap of gigabytes.
constexpr std::int64_t kPlausible = std::int64_t{1} << 30;
// No segment is longer, not even one that the sending host has not divided yet. Where the IP header says no length, the length of
// the frame counts, and a forged one would make a gap of gigabytes.
constexpr std::uint32_t kLongestSegment = std::uint32_t{1} << 20;
// How far below the first sequence number seen the true beginning may lie, if packets were captured in another order.
constexpr std::int64_t kStartReach = std::int64_t{1} << 22;
// A reset farther than this from the stream is another connection's, or a blind one (RFC 5961 §3): far above usual windows,
// far below the chance of a hit by a random number.
constexpr std::int64_t kResetReach = std::int64_t{1} << 24;
// A SYN with another number so near to an open connection is a stray; the unscaled window (RFC 9293 §3.10.7.4).
constexpr std::int64_t kSynReach = 65535;

// Signed distance of sequence numbers: exact while they are less than 2^31 apart (RFC 9293 §3.4).
std::int64_t Distance(std::uint32_t from, std::uint32_t to) { return static_cast<std::int32_t>(to - from); }

// 24 octets of the segment, mixed; all of it up to 24.
std::uint32_t Fingerprint(const std::uint8_t* p, std::uint32_t length) {
  std::uint64_t a = 0, b = 0, c = 0;
  if (length >= 8) {
    a = LoadNative<std::uint64_t>(p);
    b = LoadNative<std::uint64_t>(p + length - 8);
    c = LoadNative<std::uint64_t>(p + (length - 8) / 2);
  } else {
    for (std::uint32_t i = 0; i < length; ++i) a = a << 8 | p[i];
  }
  std::uint64_t h = (a ^ std::rotl(b, 23)) * 0x9e3779b97f4a7c15u;
  h = (h ^ h >> 29 ^ c) * 0xbf58476d1ce4e5b9u;
  return static_cast<std::uint32_t>(h >> 32);
}

}  // namespace

TcpConnection::TcpConnection(const TcpLimits& limits, ReassemblyBudget& budget) : limits_(&limits), budget_(&budget) {}

TcpConnection::TcpConnection(TcpConnection&&) noexcept = default;

TcpConnection::~TcpConnection() { budget_->used -= held_cost(); }

TcpConnection::Backlog& TcpConnection::backlog() {
  if (!backlog_) backlog_ = std::make_unique<Backlog>();
  return *backlog_;
}

std::size_t TcpConnection::held_octets() const { return backlog_ ? backlog_->held[0].octets() + backlog_->held[1].octets() : 0; }

std::size_t TcpConnection::held_cost() const { return backlog_ ? backlog_->held[0].cost() + backlog_->held[1].cost() : 0; }

std::size_t TcpConnection::Held() const {
  if (!backlog_) return 0;
  return sizeof(Backlog) + (backlog_->marks[0].size() + backlog_->marks[1].size()) * sizeof(Backlog::AckMark);
}

bool TcpConnection::BeginsAnother(Side side, const Packet& packet) const {
  const Half& s = halves_[side];
  if (!s.present || (packet.flags & kRst) != 0) return false;
  const bool syn = (packet.flags & kSyn) != 0;
  const std::int64_t from_base = Distance(s.base, packet.sequence + (syn ? 1 : 0));
  const std::int64_t from_next = Distance(s.Next(), packet.sequence + (syn ? 1 : 0));
  if (!syn) return closed() && packet.payload_length != 0 && (from_next > kResetReach || from_next < -kResetReach);
  if (from_base == 0) return false;
  if (!s.syn_seen && !s.settled) return from_base > 0 || from_base < -kStartReach;
  if (closed()) return true;
  return from_base < 0 || from_next > s.End() - s.told + kSynReach;
}

// The next octets of the side, before they are counted as told: what a repeat is compared with.
void TcpConnection::Said::Remember(std::uint32_t sequence, const std::uint8_t* octets, std::uint32_t length) {
  recent[recent_next] = {sequence, length, Fingerprint(octets, length)};
  recent_next = recent_next == 2 ? 0 : recent_next + 1;
  constexpr std::uint32_t kTail = sizeof tail;
  if (length >= kTail) {
    std::memcpy(tail.data(), octets + length - kTail, kTail);
    tail_length = kTail;
    return;
  }
  if (tail_length + length > kTail) {
    const std::uint32_t kept = kTail - length;
    std::memmove(tail.data(), tail.data() + tail_length - kept, kept);
    tail_length = static_cast<std::uint8_t>(kept);
  }
  std::memcpy(tail.data() + tail_length, octets, length);
  tail_length = static_cast<std::uint8_t>(tail_length + length);
}

// Nearly every packet: the next octets of its side, or none, and an acknowledgement of what was told.
bool TcpConnection::AddQuietly(Side side, const Packet& packet, TcpEvents& events) {
  if ((packet.flags & (kSyn | kFin | kRst | kAck)) != kAck || packet.window == 0) return false;
  Half& s = halves_[side];
  Half& o = halves_[1 - side];
  const std::int64_t ahead = Distance(o.Next(), packet.acknowledgement);
  if (packet.sequence != s.Next() || ahead > 0) return false;
  if (o.told + ahead > o.acked) o.acked = o.told + ahead;
  if (packet.payload_length == 0) return true;
  if (packet.captured_length != packet.payload_length) return false;
  said_[side].Remember(packet.sequence, packet.payload, packet.payload_length);
  s.told += packet.payload_length;
  events.OnTcpOctets(side, packet.Payload(), {packet.frame, packet.time});
  return true;
}

void TcpConnection::AddSlowly(Side side, const Packet& packet, TcpEvents& events) {
  if (TakeNumbers(side, packet)) {
    if (packet.window == 0 && (packet.flags & (kSyn | kRst)) == 0) ++counts_[side].zero_windows;
    if ((packet.flags & kRst) != 0) {
      TakeReset(side, packet, events);
    } else {
      const std::int64_t ack = TakeAcknowledgement(side, packet);
      TakeSegment(side, packet, ack, events);
    }
  }
  Advance({packet.frame, packet.time}, events);
}

// Where the side's stream begins. False: the packet is a stray and is not to be looked at further.
bool TcpConnection::TakeNumbers(Side side, const Packet& packet) {
  if ((packet.flags & kRst) != 0) return true;  // its number may be anything, e.g. 0 where it refuses a connection
  Half& s = halves_[side];
  const bool syn = (packet.flags & kSyn) != 0;
  const std::uint32_t first = packet.sequence + (syn ? 1 : 0);
  if (!s.present) {
    if (s.known) {
      Rebase(side, first);  // it was only known from an acknowledgement
    } else {
      s.base = first;
      s.known = true;
    }
    s.present = true;
    s.absent = false;
    s.first_at = static_cast<std::uint32_t>(packets_);
    s.syn_seen = s.settled = syn;
    return true;
  }
  if (syn) return TakeSyn(side, first);
  TakeRetry(side, first);
  if (!s.settled) {
    const std::int64_t from_base = Distance(s.base, first);
    if (from_base < 0 && from_base >= -kStartReach) Rebase(side, first);
  }
  return true;
}

// A SYN of a side that has sent before: repeated, or captured late.
bool TcpConnection::TakeSyn(Side side, std::uint32_t first) {
  Half& s = halves_[side];
  const std::int64_t from_base = Distance(s.base, first);
  if (s.syn_seen) {
    if (from_base == 0) ++counts_[side].retransmissions;
    if (from_base != 0 && !halves_[1 - side].present) {
      retry_[side] = first;
      s.retried = true;
    }
    return from_base == 0;
  }
  if (s.settled ? from_base != 0 : from_base > 0 || from_base < -kStartReach) return false;
  if (from_base != 0) Rebase(side, first);
  s.syn_seen = s.settled = true;
  return true;
}

// `first`: what the side sends, or the other acknowledges, before anything was told. If that is where the second SYN's stream
// begins, that one counts.
void TcpConnection::TakeRetry(Side side, std::uint32_t first) {
  Half& s = halves_[side];
  if (!s.retried || first != retry_[side] || s.told != 0 || s.fin_at != kNone || backlog_) return;
  s.retried = false;
  s.base = first;  // what was acknowledged of the first stream says nothing of this one
  s.end = 0;
  if (s.acked != kNone) s.acked = 0;
}

// The packet's acknowledgement as a position in the other side's stream; kNone if there is none that could be true.
std::int64_t TcpConnection::TakeAcknowledgement(Side side, const Packet& packet) {
  if ((packet.flags & kAck) == 0) return kNone;
  const Side other = 1 - side;
  Half& o = halves_[other];
  if (!o.known || o.absent) {
    o.base = packet.acknowledgement;
    o.known = true;
    if (!o.absent) o.acked = 0;
    return o.absent ? kNone : 0;
  }
  TakeRetry(other, packet.acknowledgement);
  const std::int64_t ahead = Distance(o.Next(), packet.acknowledgement);
  if (o.told + ahead > o.End() + kPlausible || ahead < -kPlausible) return kNone;
  Acknowledge(other, o.told + ahead);
  return o.told + ahead;
}

void TcpConnection::Acknowledge(Side side, std::int64_t position) {
  Half& s = halves_[side];
  if (s.fin_at != kNone) position = std::min(position, s.fin_at + 1);
  if (position <= s.acked) return;
  s.acked = position;
  Mark(side);
}

// Remembers when the side's octets beyond what is told were acknowledged.
void TcpConnection::Mark(Side side) {
  const Half& s = halves_[side];
  if (s.acked <= s.Reach()) return;
  auto& marks = backlog().marks[side];
  if (marks.empty() || marks.back().ack < s.acked) marks.push_back({packets_, s.acked});
}

// Nothing of the side was told yet, and its position 0 turns out to be elsewhere.
void TcpConnection::Rebase(Side side, std::uint32_t base) {
  Half& s = halves_[side];
  const std::int64_t by = Distance(base, s.base);
  s.base = base;
  if (s.acked != kNone) s.acked += by;
  if (s.fin_at != kNone) s.fin_at += by;
  s.end += by;
  if (backlog_) {
    backlog_->held[side].ShiftOffsets(by);
    backlog_->held[1 - side].ShiftAcknowledgements(by);
    for (Backlog::AckMark& m : backlog_->marks[side]) m.ack += by;
    std::int64_t& fin_ack = backlog_->fin[1 - side].source.acknowledges;
    if (fin_ack != kNone) fin_ack += by;
    if (backlog_->reset.waits && backlog_->reset.side == side) backlog_->reset.at += by;
    backlog_->stood_at[side] = 0;
  }
  Mark(side);
}

void TcpConnection::TakeReset(Side side, const Packet& packet, TcpEvents& events) {
  if (reset_seen_) return;
  const Half& s = halves_[side];
  const Half& o = halves_[1 - side];
  const auto near = [](std::int64_t d) { return d <= kResetReach && d >= -kResetReach; };
  std::int64_t at = s.told;
  if (s.present) {
    at += Distance(s.Next(), packet.sequence);
    if (at < s.told - kResetReach || at > std::max(s.End(), s.acked) + kResetReach) return;
  } else {
    // It refuses: from a closed port the sequence number is 0 or what the other side had acknowledged (RFC 9293 §3.10.7.1).
    const bool answers = (packet.flags & kAck) != 0 && (!o.known || near(Distance(o.Next(), packet.acknowledgement)));
    const bool follows = (packet.flags & kAck) == 0 && (!s.known || near(Distance(s.Next(), packet.sequence)));
    if (!answers && !follows) return;
  }
  reset_seen_ = true;
  const Origin origin{packet.frame, packet.time};
  if (!backlog_ && at <= s.Reach()) {
    events.OnTcpReset(side, origin);
  } else {
    backlog().reset = {true, side, at, packets_, origin};
  }
}

// Exact repeats of the last segments only (see the header).
bool TcpConnection::RepeatConflicts(Side side, const Packet& packet) const {
  if (packet.captured_length != packet.payload_length) return false;
  const std::uint32_t first = packet.sequence + ((packet.flags & kSyn) != 0 ? 1 : 0);
  for (const Recent& r : said_[side].recent) {
    if (r.length == packet.payload_length && r.length != 0 && r.begin == first) {
      return r.print != Fingerprint(packet.payload, packet.payload_length);
    }
  }
  return false;
}

// What of the packet (stream positions `begin` to `end`) lies over the last told octets.
bool TcpConnection::TailConflicts(Side side, const Packet& packet, std::int64_t begin, std::int64_t end) const {
  const Half& s = halves_[side];
  const Said& said = said_[side];
  const std::int64_t tail = s.told - said.tail_length;
  const std::int64_t from = std::max(begin, tail);
  const std::int64_t to = std::min({end, s.told, begin + std::int64_t{packet.captured_length}});
  if (from >= to) return false;
  return std::memcmp(said.tail.data() + (from - tail), packet.payload + (from - begin), static_cast<std::size_t>(to - from)) != 0;
}

void TcpConnection::TakeSegment(Side side, const Packet& packet, std::int64_t ack, TcpEvents& events) {
  if (packet.payload_length > kLongestSegment) return;
  Half& s = halves_[side];
  const std::int64_t ahead = Distance(s.Next(), packet.sequence + ((packet.flags & kSyn) != 0 ? 1 : 0));
  if (ahead > kPlausible || ahead < -kPlausible) return;
  const std::int64_t begin = s.told + ahead;
  const std::int64_t end = begin + packet.payload_length;
  const bool fin = (packet.flags & kFin) != 0;
  if (backlog_ && begin == s.told && end < s.acked) backlog_->stood_at[side] = packets_;
  // Keep-alive (RFC 9293 §3.8.4) or repeated window probe: the octet before the next one again, or none.
  const bool probe = !fin && packet.payload_length == 1 && end == s.told;
  if (packet.payload_length != 0 && !probe) TakeOctets(side, packet, begin, end, ack, events);
  s.end = std::max(s.end, end);
  if (fin) TakeFin(side, end, ack, {packet.frame, packet.time}, events);
  // Nobody's acknowledgements are seen: that the side went on is all that tells of a hole.
  if (halves_[1 - side].absent) Acknowledge(side, s.End());
}

void TcpConnection::TakeOctets(Side side, const Packet& packet, std::int64_t begin, std::int64_t end, std::int64_t ack,
                               TcpEvents& events) {
  Half& s = halves_[side];
  s.silent = 0;
  const Origin origin{packet.frame, packet.time};
  const std::int64_t captured_end = begin + packet.captured_length;
  if (s.fin_at != kNone) end = std::min(end, s.fin_at);  // no receiver takes octets after the FIN
  std::int64_t again = 0;
  bool conflict = false;
  if (begin < s.told) {
    const std::int64_t to = std::min(end, s.told);
    again = to - std::max<std::int64_t>(begin, 0);
    again -= std::max<std::int64_t>(0, std::min(to, s.lost_from + s.lost) - std::max(begin, s.lost_from));
    // One octet before new ones: that octet was a window probe.
    if (again == 1 && to == s.told && begin == s.told - 1) again = 0;
    if (again > 0) conflict = RepeatConflicts(side, packet) || TailConflicts(side, packet, begin, end);
  }
  const std::int64_t from = std::max(begin, s.told);
  if (from < end) {
    if (from < s.End()) ++counts_[side].out_of_order;
    const std::int64_t real_end = std::clamp(captured_end, from, end);
    const auto real = static_cast<std::uint32_t>(real_end - from);
    const std::uint8_t* octets = real != 0 ? packet.payload + (from - begin) : nullptr;
    const bool alone = !backlog_ || backlog_->held[side].empty() || backlog_->held[side].front().offset >= end;
    if (s.settled && from == s.told && alone && GateOpen(side, ack)) {
      if (real != 0) TellOctets(side, octets, real, origin, events);
      if (real_end < end) TellGap(side, end, origin, events);
    } else {
      HeldSegments& held = backlog().held[side];
      const std::size_t before = held.cost();
      const HeldSource source{ack, packets_, origin};
      if (real != 0) {
        const HeldSegments::Overlap overlap = held.Insert(from, real, reinterpret_cast<const char*>(octets), source);
        if (overlap.octets != 1 || packet.payload_length != 1) again += static_cast<std::int64_t>(overlap.octets);
        conflict = conflict || (overlap.conflict && again > 0);
      }
      if (real_end < end) held.Insert(real_end, static_cast<std::uint32_t>(end - real_end), nullptr, source);
      budget_->used += held.cost() - before;
    }
  }
  if (again > 0) {
    ++counts_[side].retransmissions;
    events.OnTcpRetransmission(side, static_cast<std::uint64_t>(again), conflict, origin);
  }
}

void TcpConnection::TakeFin(Side side, std::int64_t at, std::int64_t ack, const Origin& origin, TcpEvents& events) {
  Half& s = halves_[side];
  if (s.fin_at != kNone) {
    if (at == s.fin_at) ++counts_[side].retransmissions;
    return;
  }
  if (at < s.told) return;  // octets after it were told: it is a lie
  s.fin_at = at;
  s.acked = std::min(s.acked, at + 1);
  if (backlog_) {
    for (Backlog::AckMark& m : backlog_->marks[side]) m.ack = std::min(m.ack, at + 1);
  }
  const bool alone = !backlog_ || backlog_->held[side].empty();
  if (s.settled && at == s.told && alone && GateOpen(side, ack)) {
    TellFin(side, origin, events);
  } else {
    backlog().fin[side] = {true, {ack, packets_, origin}};
  }
}

void TcpConnection::TellOctets(Side side, const std::uint8_t* octets, std::uint32_t length, const Origin& origin,
                               TcpEvents& events) {
  Half& s = halves_[side];
  said_[side].Remember(s.Next(), octets, length);
  s.told += length;
  s.beyond = 0;
  events.OnTcpOctets(side, {reinterpret_cast<const char*>(octets), length}, origin);
}

void TcpConnection::TellGap(Side side, std::int64_t to, const Origin& origin, TcpEvents& events) {
  Half& s = halves_[side];
  const std::int64_t from = s.told;
  if (s.lost_from + s.lost != from || to - s.lost_from > kPlausible) s.lost_from = from;
  s.lost = static_cast<std::uint32_t>(std::min(to - s.lost_from, 2 * kPlausible));
  s.told = to;
  s.beyond = 0;
  said_[side].tail_length = 0;
  events.OnTcpGap(side, static_cast<std::uint64_t>(from), static_cast<std::uint64_t>(to - from), origin);
}

void TcpConnection::TellFin(Side side, const Origin& origin, TcpEvents& events) {
  Half& s = halves_[side];
  s.fin_told = true;
  s.beyond = 1;
  events.OnTcpFin(side, origin);
}

}  // namespace glasspost::capture
