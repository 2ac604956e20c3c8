// A frame as it lies in a capture file, before anything was decoded.
#pragma once

#include <cstdint>

#include "base/octets.h"
#include "base/origin.h"

namespace glasspost::capture {

// LINKTYPE_ values (https://www.tcpdump.org/linktypes.html); any other value is carried but not decoded.
enum class LinkType : std::uint16_t {
  kNull = 0,
  kEthernet = 1,
  kPpp = 9,
  kPppHdlc = 50,
  kPppEther = 51,
  kRaw = 101,
  kRawOld12 = 12,  // DLT_RAW of most systems
  kRawOld14 = 14,  // DLT_RAW of OpenBSD
  kLoop = 108,
  kLinuxSll = 113,
  kIpv4 = 228,
  kIpv6 = 229,
  kLinuxSll2 = 276,
};

struct RawFrame {
  std::uint64_t number = 0;  // from 1 over all files in the order given
  Timestamp time = 0;        // ns since 1970; 0 where the file has none (SPB)
  LinkType link{};
  std::uint32_t wire_length = 0;  // octets the frame had on the wire
  Bytes octets;                   // octets captured: at most wire_length; view into the reader's buffer
};

}  // namespace glasspost::capture
