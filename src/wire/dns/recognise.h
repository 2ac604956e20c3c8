// Is it DNS? By what is said; the port only decides how strict to be.
#pragma once

#include <cstdint>

#include "base/octets.h"

namespace glasspost::dns {

enum class Likeness : std::uint8_t { kNo, kMore, kYes };

// A UDP datagram. On port 53 whatever comes is DNS, broken or not. Multicast DNS (5353), LLMNR (5355) and NetBIOS names (137)
// have messages of that form but are other protocols: no. On any other port only a message that is sound to its last octet and
// asks for what resolvers ask for is taken for DNS.
bool LooksLikeDns(Octets datagram, std::uint16_t source_port, std::uint16_t destination_port);

// The first octets that one direction of a TCP connection carries. kMore: too few to tell.
Likeness LooksLikeDnsStream(Octets first, std::uint16_t source_port, std::uint16_t destination_port);

// The QR bit: whoever sent this message is the server. False too where there are not even three octets.
inline bool SentByServer(Octets message) { return message.size() > 2 && (message[2] & 0x80) != 0; }

}  // namespace glasspost::dns
