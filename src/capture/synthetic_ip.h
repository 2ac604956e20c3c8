// What made-up packets begin with: Ethernet with locally administered addresses, IPv4 (RFC 791) or IPv6 (RFC 8200) with right
// lengths and checksums. Whole UDP datagrams (RFC 768).
#pragma once

#include <cstdint>
#include <string>

#include "base/address.h"
#include "base/octets.h"
#include "base/origin.h"

namespace glasspost::capture {

struct SyntheticIp {
  Address source;
  Address destination;
  Direction direction = Direction::kToServer;  // decides the MAC addresses
  std::uint8_t protocol = 0;
  std::uint16_t id = 0;     // of IPv4
  std::size_t payload = 0;  // octets that will follow, at most 65 515
};
// IPv4 where both addresses are.
void AppendSyntheticIp(std::string& frame, const SyntheticIp& ip);

// Writes the checksum of the TCP segment or UDP datagram that begins at `at` and goes on to the end.
void StoreTransportChecksum(std::string& frame, std::size_t at, const Address& source, const Address& destination,
                            std::uint8_t protocol);

void AppendBig16(std::string& out, std::uint32_t v);
void AppendBig32(std::string& out, std::uint32_t v);

// Ethernet, IP and UDP around the payload; octets beyond kMostInUdp are left out.
inline constexpr std::size_t kMostInUdp = 65'507;
std::string SyntheticUdp(const Endpoint& source, const Endpoint& destination, Direction direction, std::uint16_t id,
                         Octets payload);

}  // namespace glasspost::capture
