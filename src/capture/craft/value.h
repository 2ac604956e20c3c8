// Values of fields as people type them, to octets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/error.h"
#include "capture/craft/place.h"

namespace glasspost::capture {

// "hex:" before it stands for octets in hex, whatever the place.
bool IsHex(Octets text);

// A number for this place: decimal, 0x…, or a name where the DNS has one (MX, IN, NXDOMAIN). The error says what may stand there.
Expected<std::uint64_t> NumberOf(const Place& place, Octets text);
// The octets for any other place, or for any place where they are given in hex. Those of a place that is not elastic are as many
// as it has.
Expected<std::string> OctetsOf(const Place& place, Octets text);

// "0a ff", "0A:FF", "0aff".
Expected<std::string> FromHex(Octets text);

// The field of this name, in any case.
std::optional<Field> FieldNamed(Octets name);
// The name most like it; empty: none is.
std::string_view NearestField(Octets name);
inline constexpr std::size_t kFieldCount = 0
#define GLASSPOST_FIELD(id, abbreviation, en, zh) +1
#include "base/field_table.inc"
#undef GLASSPOST_FIELD
    ;

}  // namespace glasspost::capture
