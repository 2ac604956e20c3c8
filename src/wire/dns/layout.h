// How the data of each record type is laid out: one table that decoder, encoder, zone-file writer and zone-file reader share.
// RFC 1035 §3.3 and the RFC of each type; types that are not in it are opaque (RFC 3597).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/field.h"

namespace glasspost::dns {

enum class Part : std::uint8_t {
  kEnd,
  kName,       // a name that encoders compress (RFC 1035's own types)
  kPlainName,  // a name that encoders leave alone (RFC 3597 §4); decoders take a pointer in it all the same
  kAddress4,
  kAddress6,
  kNumber8,
  kNumber16,
  kNumber32,
  kNumber48,
  kTime,           // 32 bits, shown as YYYYMMDDHHmmSS (RFC 4034 §3.2)
  kType,           // 16 bits, shown as a type's name
  kRcode,          // 16 bits, shown as a response code's name
  kString,         // one <character-string>
  kStrings,        // one or more, to the end
  kTag,            // one <character-string>, shown without quotes (RFC 8659 §4.1)
  kText,           // octets to the end, shown as one quoted string
  kHex,            // octets to the end
  kBase64,         // octets to the end
  kHexCounted,     // one octet of length; "-" if empty (RFC 5155 §3.3)
  kBase32Counted,  // one octet of length; base32hex without padding (RFC 5155 §3.3)
  kBase64Counted,  // two octets of length (RFC 8945 §4.2)
  kTypeBitmap,     // RFC 4034 §4.1.2
  kEui,            // 6 or 8 octets, to the end: 00-00-5e-00-53-2a (RFC 7043)
  kParameters,     // SvcParams (RFC 9460 §2.2)
  kOptions,        // EDNS options (RFC 6891 §6.1.2)
  kLocation,       // RFC 1876 §2
};

struct PartInfo {
  Part part = Part::kEnd;
  Field field{};
};

inline constexpr int kMaxParts = 9;

struct TypeInfo {
  std::uint16_t number = 0;
  std::string_view name;
  PartInfo parts[kMaxParts + 1];  // ends with kEnd; begins with it where the data is opaque

  bool opaque() const { return parts[0].part == Part::kEnd; }
};

// Null for a type without a name.
const TypeInfo* FindType(std::uint16_t type);
const TypeInfo* FindTypeByName(std::string_view name);  // any case
std::span<const TypeInfo> AllTypes();

// The field that tells the length octets before this part.
Field LengthField(Field field);

}  // namespace glasspost::dns
