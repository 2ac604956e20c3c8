// From a frame to a TCP or UDP packet: link layers, tunnels, IPv4, IPv6, fragments. Two entrances: Decoder::Decode, which is
// fast, and DescribeFrame, which reports every field to a visitor; both go through the same layer functions.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "capture/packet.h"
#include "capture/raw_frame.h"

namespace glasspost::capture {

enum class DecodeResult : std::uint8_t {
  kPacket,     // `packet` is filled
  kFragment,   // an IP fragment was kept; nothing to hand on yet
  kOther,      // nothing that mail travels in (ARP, ICMP, SCTP …)
  kTruncated,  // too short for its own headers (snap length, or a lie)
  kUnknownLink,
};

class Decoder {
 public:
  Decoder();
  ~Decoder();
  // `memory` receives the octets of a datagram put together from fragments; `packet` then points into it.
  DecodeResult Decode(const RawFrame& frame, Packet& packet, std::vector<std::vector<std::uint8_t>>& memory);

 private:
  struct Fragments;
  std::unique_ptr<Fragments> fragments_;
};

}  // namespace glasspost::capture
