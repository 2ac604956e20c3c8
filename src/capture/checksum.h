// The internet checksum (RFC 1071) of IP headers, TCP and UDP: what it is, never a reason to drop a packet. Sending hosts leave
// it to their network card (offload), so a capture made there holds only the sum of the pseudo-header.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/octets.h"

namespace glasspost::capture {

// The first four are numbered as Wireshark numbers them.
enum class ChecksumStatus : std::uint8_t {
  kBad = 0,
  kGood = 1,
  kUnverified = 2,  // not all octets are here, or an address on the way stands in the header
  kNotPresent = 3,  // UDP over IPv4: 0 (RFC 768)
  kIllegal = 4,     // UDP over IPv6: 0 (RFC 8200 §8.1), except in tunnels (RFC 6935)
  kPartial = 5,     // the pseudo-header's sum alone: the sender's network card was to do the rest
};
std::string_view Name(ChecksumStatus status);         // "good"
std::string_view NameChinese(ChecksumStatus status);  // "正确"

// One's complement sum of 16-bit words, not folded; an odd last octet counts as if a zero followed. `data` must begin at an even
// place of the whole.
std::uint64_t AddWords(std::uint64_t sum, Bytes data);
std::uint16_t Fold(std::uint64_t sum);

struct ChecksumResult {
  ChecksumStatus status = ChecksumStatus::kUnverified;
  std::uint16_t calculated = 0;  // what should stand there; only where it could be calculated
  bool known = false;            // `calculated` is valid
};

// `header` is the whole IPv4 header.
ChecksumResult CheckIpv4Header(Bytes header);
// `source` and `destination` are 4 or 16 octets each; `segment` is the whole TCP segment or UDP datagram, whose checksum lies at
// octet `at`.
ChecksumResult CheckTransport(Bytes source, Bytes destination, std::uint8_t protocol, Bytes segment, std::size_t at);

}  // namespace glasspost::capture
