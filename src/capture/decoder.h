// From a frame to a TCP or UDP packet: link layers, tunnels, IPv4, IPv6, fragments. Two entrances: Decoder::Decode, which is
// fast, and DescribeFrame (describe.h), which reports every field to a visitor; both go through the same layer functions.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "capture/fragments.h"
#include "capture/packet.h"
#include "capture/raw_frame.h"

namespace glasspost::capture {

enum class DecodeResult : std::uint8_t {
  kPacket,     // `packet` is filled
  kFragment,   // an IP fragment was kept (or could not be right and was dropped); nothing to hand on yet
  kOther,      // nothing that mail travels in (ARP, ICMP, SCTP …), or tunnels too deep
  kTruncated,  // too short for its own headers (snap length, or a lie)
  kUnknownLink,
};

class Decoder {
 public:
  explicit Decoder(const FragmentLimits& limits = {}) : fragments_(limits) {}

  // Frames are given in the order of the capture: fragments wait for the rest of their datagram, which is then attributed to the
  // frame that completed it, `packet.fragments` telling how many frames it took. `memory` receives the octets of such a
  // datagram; `packet` then points into it, else into the frame. Without kPacket the contents of `packet` mean nothing.
  DecodeResult Decode(const RawFrame& frame, Packet& packet, std::vector<std::vector<std::uint8_t>>& memory);

  const FragmentTable& fragments() const { return fragments_; }

 private:
  FragmentTable fragments_;
};

}  // namespace glasspost::capture
