// Packets for a connection of which only the octets are known: well-formed Ethernet, IPv4 or IPv6, and TCP (RFC 9293) with right
// checksums, from the three-way handshake to FIN or RST. Sequence numbers, MAC addresses and acknowledgements are made up;
// addresses, ports, times and octets are not.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/address.h"
#include "base/octets.h"
#include "base/origin.h"

namespace glasspost::capture {

class SyntheticTcp {
 public:
  static constexpr std::size_t kSegment = 1440;  // octets of data in a packet: fits into 1500 with either IP
  // Takes each packet as an Ethernet frame; good during the call.
  class Sink {
   public:
    virtual ~Sink() = default;
    virtual void OnFrame(Octets frame, Timestamp time) = 0;
  };

  SyntheticTcp(const Endpoint& client, const Endpoint& server);

  void Open(Timestamp time, Sink& sink);
  // One segment with these flags; of the payload, at most kSegment octets.
  void Segment(Direction direction, std::uint8_t flags, Octets payload, Timestamp time, Sink& sink);
  // The other side acknowledges them at once.
  void Send(Direction direction, Octets octets, Timestamp time, Sink& sink);
  // Octets that nobody has: their numbers are passed over, so that a reader sees a gap.
  void Skip(Direction direction, std::uint64_t octets);
  // `answered`: the other side acknowledges it.
  void Finish(Direction direction, bool answered, Timestamp time, Sink& sink);
  void Reset(Direction direction, Timestamp time, Sink& sink);

 private:
  struct Half {
    Endpoint endpoint;
    std::uint32_t next = 0;  // sequence number
    std::uint16_t packets = 0;
  };
  Half& From(Direction d) { return halves_[static_cast<std::size_t>(Index(d))]; }
  void Emit(Direction direction, std::uint8_t flags, Octets payload, Timestamp time, Sink& sink);

  std::array<Half, 2> halves_;
  std::string frame_;
};

}  // namespace glasspost::capture
