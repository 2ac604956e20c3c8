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

// The visitor of those who want no fields. A visitor that wants them has kWanted = true and the same operator.
struct NoFields {
  static constexpr bool kWanted = false;
  void operator()(Field, OctetRange, const FieldValue&) const {}
};

template <class V, class T>
void Report(V& visitor, Field field, std::size_t offset, std::size_t length, const T& value) {
  if constexpr (V::kWanted) visitor(field, OctetRange{offset, length}, FieldValue{value});
}

}  // namespace glasspost
