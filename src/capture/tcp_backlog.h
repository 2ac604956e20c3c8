// What a TcpConnection keeps only while something waits: shared by tcp_connection.cc, which takes packets in, and
// tcp_release.cc, which decides what can be told. Not for others.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/origin.h"
#include "capture/held_segments.h"
#include "capture/tcp_connection.h"

namespace glasspost::capture {

struct TcpConnection::Backlog {
  // An acknowledgement beyond what was told, and the packet (of the connection) that brought it.
  struct AckMark {
    std::uint64_t at = 0;
    std::int64_t ack = 0;
  };
  struct PendingFin {
    bool waits = false;
    HeldSource source;
  };
  struct PendingReset {
    bool waits = false;
    Side side = 0;
    std::int64_t at = 0;  // its place in the side's stream
    std::uint64_t arrival = 0;
    Origin origin;
  };

  std::array<HeldSegments, 2> held;
  std::array<std::vector<AckMark>, 2> marks;  // rising in both members; at most one for each packet of two reorder windows
  std::array<PendingFin, 2> fin;
  // The last packet of a side that begins at what is told and ends below what was acknowledged: so far it had sent, not more.
  std::array<std::uint64_t, 2> stood_at{};
  PendingReset reset;

  bool Idle() const {
    return held[0].empty() && held[1].empty() && marks[0].empty() && marks[1].empty() && !fin[0].waits && !fin[1].waits &&
           !reset.waits;
  }
};

struct TcpConnection::Front {
  bool any = false;
  bool fin = false;
  std::int64_t offset = 0;
  HeldSource source;
};

}  // namespace glasspost::capture
