// A decoded packet: what the reassembly and the DNS observer need of it, and nothing that costs.
#pragma once

#include <cstdint>

#include "base/address.h"
#include "base/octets.h"
#include "base/origin.h"

namespace glasspost::capture {

inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;

// TCP flags (RFC 9293 §3.1)
inline constexpr std::uint8_t kFin = 0x01, kSyn = 0x02, kRst = 0x04, kPsh = 0x08, kAck = 0x10, kUrg = 0x20;

// Plain data, no ownership: `payload` and `options` point into the frame (or, for reassembled IP fragments, into memory that
// the one who decoded it keeps as long as the frame).
struct Packet {
  std::uint64_t frame = 0;
  Timestamp time = 0;
  Address source;
  Address destination;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint8_t transport = 0;           // kTcp or kUdp
  std::uint8_t flags = 0;               // TCP
  std::uint16_t window = 0;             // TCP, not scaled
  std::uint32_t sequence = 0;           // TCP
  std::uint32_t acknowledgement = 0;    // TCP
  std::uint32_t ip_payload_length = 0;  // octets after the IP header(s), as the IP header says
  std::uint32_t payload_length = 0;     // octets of TCP or UDP payload, as the IP header says
  std::uint32_t captured_length = 0;    // of these, octets that are in the capture (snap length)
  const std::uint8_t* payload = nullptr;
  const std::uint8_t* options = nullptr;  // TCP options
  std::uint8_t options_length = 0;
  std::uint8_t fragment_overlap = 0;  // 1: IP fragments overlapped, 2: ... with differing octets (the first were taken)
  std::uint8_t fragments = 1;         // IP fragments it was put together from (255: that many or more)

  Octets Payload() const { return {reinterpret_cast<const char*>(payload), captured_length}; }
};

}  // namespace glasspost::capture
