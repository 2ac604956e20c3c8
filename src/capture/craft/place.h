// Where a field lies in octets that may be changed, and what may be put there. Places come from the field visitor of the
// decoders: nothing here reads a packet by itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/field.h"
#include "base/origin.h"
#include "wire/exchange.h"

namespace glasspost::capture {

struct CraftLimits {
  // Octets of a frame: Ethernet, IPv6, and the most that it carries without a jumbogram. Stops a splice from growing without end.
  static constexpr std::size_t kFrame = 14 + 40 + 65'535;
  // Octets of a value that is put in.
  static constexpr std::size_t kValue = 65'535;
};

enum class PlaceKind : std::uint8_t {
  kNumber,      // bits of its octets
  kMac,         // 6 octets
  kIpv4,        // 4
  kIpv6,        // 16
  kDnsName,     // labels
  kText,        // characters
  kOctets,      // anything
  kWhole,       // a header or another stretch that has parts; it has no value of its own
  kCalculated,  // follows from other octets: nothing can be put there
};

// In what part of its layer it lies: what is lengthened with it depends on that.
enum class PlacePart : std::uint8_t { kHeader, kBody, kTrailer };

struct Place {
  Field field{};
  OctetRange range;
  PlaceKind kind = PlaceKind::kCalculated;
  PlacePart part = PlacePart::kHeader;
  bool elastic = false;  // its length may change
  bool set = false;      // a value was put there: it is not computed any more
  std::uint32_t layer = 0;
  NumberPlace number{};  // of kNumber
  std::string name{};    // of kDnsName: as people write it; in the octets a part of it may lie elsewhere
  OctetRange message{};  // of a field of DNS: the message that it is of
};

// What the payload speaks, and who speaks it.
struct Spoken {
  Protocol protocol = Protocol::kUnknown;
  Direction direction = Direction::kToServer;
  bool stream = true;  // TCP; DNS has its length before each message there
};

// The number in these octets, as many as `place.range` has (at most 8).
std::uint64_t LoadNumber(Octets octets, const Place& place);
// The largest that can be put there.
std::uint64_t LargestNumber(const Place& place);
// `value` is a multiple of the place's unit and not larger than that.
void StoreNumber(char* octets, const Place& place, std::uint64_t value);

}  // namespace glasspost::capture
