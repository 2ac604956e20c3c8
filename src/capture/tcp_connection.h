// TCP reassembly of one connection (RFC 9293), both directions together, so that what is told comes in causal order: octets of
// one side are handed on only after the octets of the other side that it had acknowledged when it sent them. No I/O, no clock:
// "now" is the packet's place and time. In-order segments are passed on as views, never copied; only what must wait is.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "base/octets.h"
#include "base/origin.h"
#include "capture/packet.h"

namespace glasspost::capture {

// Octets that all connections of one shard may hold back together; counted, not allocated.
struct ReassemblyBudget {
  std::size_t limit = 0;
  std::size_t used = 0;
};

struct TcpLimits {
  // Stops a flow with a hole from holding memory for ever: beyond it the oldest hole is declared lost.
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
  // `length` octets at stream `offset` (from the side's first octet) are not in the capture.
  virtual void OnTcpGap(Side side, std::uint64_t offset, std::uint64_t length, const Origin& origin) = 0;
  virtual void OnTcpFin(Side side, const Origin& origin) = 0;
  virtual void OnTcpReset(Side side, const Origin& origin) = 0;
  // Octets that had been seen before came again (`conflict`: with other contents, so far as the old ones were still held or
  // the difference could be told). Keep-alives and window probes are not reported.
  virtual void OnTcpRetransmission(Side side, std::uint64_t octets, bool conflict, const Origin& origin) = 0;
};

class TcpConnection {
 public:
  TcpConnection(const TcpLimits& limits, ReassemblyBudget& budget);
  ~TcpConnection();
  TcpConnection(TcpConnection&&) noexcept;
  TcpConnection& operator=(TcpConnection&&) = delete;

  // Takes the packet; calls `events` for all that can be told now.
  void Add(Side side, const Packet& packet, TcpEvents& events);
  // The capture is at its end (or the connection is given up): tells all that is held, with the gaps between.
  void Flush(const Origin& now, TcpEvents& events);

  bool syn_seen(Side side) const;
  // Both FINs were told and acknowledged, or a reset was seen.
  bool closed() const;
  bool reset() const;
  // True if `packet` cannot belong to this connection but begins a new one on the same ports: a SYN with another sequence
  // number after the connection was closed, or far outside it.
  bool BeginsAnother(Side side, const Packet& packet) const;
};

}  // namespace glasspost::capture
