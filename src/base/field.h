// Fields: what a decoder found at which octets. Every decoder from frame to protocol takes a visitor as a template argument;
// with `NoFields` the reporting costs nothing. The ids, their Wireshark names and their labels stand in one table,
// field_table.inc.
#pragma once

#include <cstdint>
#include <string_view>
#include <variant>

#include "base/octets.h"

namespace glasspost {

enum class Field : std::uint16_t {
#define GLASSPOST_FIELD(id, abbreviation, en, zh) id,
#include "base/field_table.inc"
#undef GLASSPOST_FIELD
};

struct FieldInfo {
  std::string_view abbreviation;  // Wireshark's name: "tcp.srcport"
  std::string_view label_en;
  std::string_view label_zh;
};
const FieldInfo& Info(Field field);

// A number, a text (octets as they are), or raw octets such as an address.
using FieldValue = std::variant<std::monostate, std::uint64_t, Octets, Bytes>;

// Where in the octets of its range a number lies: (octets, in network order, >> shift & mask) * unit.
struct NumberPlace {
  int shift = 0;
  std::uint64_t mask = ~std::uint64_t{0};
  std::uint64_t unit = 1;
};

// The visitor of those who want no fields. A visitor that wants them has kWanted = true and the same operator; one that would put
// other numbers there has another with a NumberPlace behind, which is called for each number that lies in the octets as such (not
// for one that is calculated, nor for digits of a text).
struct NoFields {
  static constexpr bool kWanted = false;
  void operator()(Field, OctetRange, const FieldValue&) const {}
};

template <class V, class T>
void Report(V& visitor, Field field, std::size_t offset, std::size_t length, const T& value) {
  if constexpr (V::kWanted) visitor(field, OctetRange{offset, length}, FieldValue{value});
}

template <class V>
void ReportNumber(V& visitor, Field field, OctetRange range, std::uint64_t value, NumberPlace place = {}) {
  if constexpr (V::kWanted) {
    if constexpr (requires { visitor(field, range, FieldValue{value}, place); }) {
      visitor(field, range, FieldValue{value}, place);
    } else {
      visitor(field, range, FieldValue{value});
    }
  }
}

}  // namespace glasspost
