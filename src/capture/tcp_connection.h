// TCP reassembly of one connection (RFC 9293), both directions together, so that what is told comes in causal order: octets of
// one side are handed on only after the octets of the other side that it had acknowledged when it sent them. No I/O, no clock:
// "now" is the packet's place and time. In-order segments are passed on as views, never copied; only what must wait is.
//
// How it decides:
// - A side whose SYN was seen has a known beginning. Without one, the beginning is the lowest sequence number among the first
//   `reorder_window` packets of the connection; until then that side's octets wait.
// - A side of which those first packets hold none is taken as not captured: nothing waits for it, and no gap is told for it.
// Holes
//   of the side that is there are then declared after `reorder_window` further packets, since nobody's acknowledgement is seen.
// - Otherwise a hole becomes a gap `reorder_window` packets after it was acknowledged, or at Flush, or when a bound is reached.
//   An acknowledgement of one octet past the last, with nothing captured after it, is taken for that of a FIN that was lost.
// - An acknowledgement that its receiver goes on to contradict (it still sends from below it) is not believed.
// - The first octets that arrive win. Octets of overlapping held segments are compared in full. Of octets already told, the last
//   64 are kept and compared with whatever overlaps them; of those before, only an exact repeat of one of the last few segments
//   is compared, by a fingerprint of 24 of its octets (beginning, middle, end: all of a segment up to 24): more would cost on the
//   path that every packet takes.
// - A SYN that comes again with another number, before the other side was heard, counts if it is the one that is answered.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <memory>

#include "base/octets.h"
#include "base/origin.h"
#include "capture/packet.h"

namespace glasspost::capture {

struct HeldPiece;

// Octets that all connections of one shard may hold back together, with what is kept beside each segment; counted, not allocated.
struct ReassemblyBudget {
  std::size_t limit = 0;
  std::size_t used = 0;
};

struct TcpLimits {
  // Stops a flow with a hole from holding memory for ever: beyond it the oldest hole is declared lost. Both directions together.
  std::size_t held_octets = std::size_t{2} << 20;
  // Segments held back a direction (many tiny segments cost more than their octets).
  std::size_t held_segments = 4096;
  // A hole that the other side has acknowledged is declared lost after this many further packets of the connection: so long may
  // a capture have put packets into another order.
  std::uint32_t reorder_window = 64;
};

// A packet's side: 0 is the sender of the first packet seen, 1 the other. Who is client or server is decided above.
using Side = int;

class TcpEvents {
 public:
  virtual ~TcpEvents() = default;
  // In-order octets; the view lives during the call. `origin` is of the packet that brought them.
  virtual void OnTcpOctets(Side side, Octets octets, const Origin& origin) = 0;
  // `length` octets at stream `offset` (from the side's first octet) are not in the capture. `origin` is of the packet by which
  // that was decided (of the one that was cut, where the snap length did it). One hole may be told in several adjoining pieces.
  virtual void OnTcpGap(Side side, std::uint64_t offset, std::uint64_t length, const Origin& origin) = 0;
  virtual void OnTcpFin(Side side, const Origin& origin) = 0;
  // Once a connection. Octets that the capture brings after the reset may still follow it.
  virtual void OnTcpReset(Side side, const Origin& origin) = 0;
  // Octets that had been seen before came again (`conflict`: with other contents, so far as the old ones were still held or
  // the difference could be told). Keep-alives and window probes are not reported.
  virtual void OnTcpRetransmission(Side side, std::uint64_t octets, bool conflict, const Origin& origin) = 0;
};

// What a report says of one side's packets.
struct TcpCounts {
  std::uint32_t retransmissions = 0;  // packets that brought only or partly what had been seen, SYN and FIN included
  std::uint32_t out_of_order = 0;     // packets that brought new octets from below the highest seen
  std::uint32_t zero_windows = 0;     // packets that announced a window of 0
};

// Not thread-safe; events must not call back into it. `limits` and `budget` must outlive it.
class TcpConnection {
 public:
  TcpConnection(const TcpLimits& limits, ReassemblyBudget& budget);
  ~TcpConnection();
  TcpConnection(TcpConnection&&) noexcept;
  TcpConnection& operator=(TcpConnection&&) = delete;

  // Takes the packet; calls `events` for all that can be told now.
  void Add(Side side, const Packet& packet, TcpEvents& events) {
    ++packets_;
    if (!quiet_ || !AddQuietly(side, packet, events)) AddSlowly(side, packet, events);
  }
  // The capture is at its end (or the connection is given up): tells all that is held, with the gaps between. Also a reset that
  // still waits for octets before it; so call it before a closed connection is dropped.
  void Flush(const Origin& now, TcpEvents& events);

  bool syn_seen(Side side) const { return halves_[side].syn_seen; }
  // A packet of this side is in the capture.
  bool present(Side side) const { return halves_[side].present; }
  bool fin_told(Side side) const { return halves_[side].fin_told; }
  // Both FINs were captured and acknowledged, or a reset was seen. Octets, FINs or the reset may still wait for what is missing
  // before them; no more than `reorder_window` packets can come that belong here, and Flush ends the waiting.
  bool closed() const {
    const auto done = [](const Half& h) { return h.fin_at != kNone && h.acked > h.fin_at; };
    return reset_seen_ || (done(halves_[0]) && done(halves_[1]));
  }
  bool reset() const { return reset_seen_; }
  // True if `packet` cannot belong to this connection but begins a new one on the same ports: a SYN with another sequence
  // number after the connection was closed, or far outside it; octets far outside a closed one.
  bool BeginsAnother(Side side, const Packet& packet) const;

  const TcpCounts& counts(Side side) const { return counts_[side]; }
  std::uint64_t packets() const { return packets_; }
  // Stream octets told or declared lost so far.
  std::uint64_t told(Side side) const { return static_cast<std::uint64_t>(halves_[side].told); }
  // Sequence number of the SYN, or of the first octet where no SYN was seen. Meaningful once a packet of either side was seen.
  std::uint32_t first_sequence(Side side) const { return halves_[side].base - (halves_[side].syn_seen ? 1 : 0); }
  // Sequence number after all that was told (a told FIN counts as one).
  std::uint32_t next_sequence(Side side) const { return halves_[side].Next() + (halves_[side].fin_told ? 1 : 0); }
  std::size_t held_octets() const;
  // What of the budget is its own.
  std::size_t held_cost() const;
  // Octets of memory beside itself and that.
  std::size_t Held() const;

 private:
  // Positions in a stream are counted from its base and signed: before the base is settled, some lie below it.
  static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();

  static constexpr std::uint8_t kMute = 4;

  // What is remembered of a told segment, to compare a repeat with.
  struct Recent {
    std::uint32_t begin = 0;  // sequence number
    std::uint32_t length = 0;
    std::uint32_t print = 0;
  };
  // What a side said last, to compare a repeat with.
  struct Said {
    std::array<std::uint8_t, 64> tail;  // its first `tail_length` octets: those right before `told`
    std::array<Recent, 3> recent;
    std::uint8_t tail_length = 0;
    std::uint8_t recent_next = 0;
    // The next octets of the side.
    void Remember(std::uint32_t sequence, const std::uint8_t* octets, std::uint32_t length);
  };
  // Both together lie in two cache lines: every packet needs both.
  struct Half {
    std::int64_t told = 0;        // octets told or declared lost
    std::int64_t acked = kNone;   // highest position that the other side acknowledged; a FIN counts as one
    std::int64_t end = 0;         // highest position known from this side's packets (not kept up on the quick path)
    std::int64_t fin_at = kNone;  // position of the FIN
    std::int64_t lost_from = 0;   // the last gap: octets of it that come after all are late, not repeated
    std::uint32_t lost = 0;       // its length
    std::uint32_t base = 0;       // sequence number of position 0
    std::uint32_t first_at = 0;   // low half of the place of the side's first packet among the connection's
    std::uint8_t beyond : 1 = 0;  // 1: a FIN (told, or lost and given up) counts as reached
    bool known : 1 = false;       // `base` has a value, perhaps only from the other side's acknowledgement
    bool present : 1 = false;     // a packet of this side was seen
    bool settled : 1 = false;     // `base` is final
    bool absent : 1 = false;      // this direction is not in the capture
    bool syn_seen : 1 = false;
    bool fin_told : 1 = false;
    bool retried : 1 = false;     // a second SYN was seen, and neither is answered
    std::uint8_t silent : 3 = 0;  // gaps told before it ever had an octet (up to kMute)

    bool mute() const { return silent == kMute; }  // its packets are captured, its octets are not: they are not waited for
    std::uint32_t Next() const { return base + static_cast<std::uint32_t>(told); }
    std::int64_t Reach() const { return told + beyond; }
    std::int64_t End() const { return end > told ? end : told; }
  };
  struct Backlog;  // what waits; exists only while something does
  struct Front;    // what comes next in a side's stream, of that which waits

  bool AddQuietly(Side side, const Packet& packet, TcpEvents& events);
  void AddSlowly(Side side, const Packet& packet, TcpEvents& events);
  bool TakeNumbers(Side side, const Packet& packet);
  bool TakeSyn(Side side, std::uint32_t first);
  void TakeRetry(Side side, std::uint32_t first);
  std::int64_t TakeAcknowledgement(Side side, const Packet& packet);
  void TakeReset(Side side, const Packet& packet, TcpEvents& events);
  void TakeSegment(Side side, const Packet& packet, std::int64_t ack, TcpEvents& events);
  void TakeOctets(Side side, const Packet& packet, std::int64_t begin, std::int64_t end, std::int64_t ack, TcpEvents& events);
  void TakeFin(Side side, std::int64_t at, std::int64_t ack, const Origin& origin, TcpEvents& events);
  bool RepeatConflicts(Side side, const Packet& packet) const;
  bool TailConflicts(Side side, const Packet& packet, std::int64_t begin, std::int64_t end) const;

  Backlog& backlog();
  void Acknowledge(Side side, std::int64_t position);
  void Mark(Side side);
  void Rebase(Side side, std::uint32_t base);
  void Settle(bool at_once);
  Front FrontOf(Side side);
  std::int64_t Need(Side side, std::int64_t ack) const;
  bool GateOpen(Side side, std::int64_t ack) const;
  bool Ready(Side side, const Front& front) const;

  void Advance(const Origin& now, TcpEvents& events);
  void Drain(TcpEvents& events);
  void Relieve(const Origin& now, TcpEvents& events);
  bool Resolve(const Origin& now, TcpEvents& events);
  bool ResolveOverdue(const Origin& now, TcpEvents& events);
  bool DeclareGap(Side side, std::int64_t limit, const Origin& now, TcpEvents& events);
  bool Overdue(Side side, std::uint64_t at, std::int64_t ack) const;
  bool DropContradicted(Side side, bool at_end);
  void TellFront(Side side, TcpEvents& events);
  void TellOctets(Side side, const std::uint8_t* octets, std::uint32_t length, const Origin& origin, TcpEvents& events);
  void TellGap(Side side, std::int64_t to, const Origin& origin, TcpEvents& events);
  void TellFin(Side side, const Origin& origin, TcpEvents& events);
  void TellReset(bool at_end, TcpEvents& events);
  HeldPiece PopHeld(Side side);
  void EndStep();

  std::array<Half, 2> halves_;
  std::uint64_t packets_ = 0;
  bool quiet_ = false;  // both sides settled, nothing waits, no FIN: AddQuietly may be tried
  bool reset_seen_ = false;
  std::array<Said, 2> said_;
  std::array<TcpCounts, 2> counts_;
  std::array<std::uint32_t, 2> retry_{};  // first sequence number after a second SYN with another number, if `retried`
  const TcpLimits* limits_;
  ReassemblyBudget* budget_;
  std::unique_ptr<Backlog> backlog_;
};

}  // namespace glasspost::capture
