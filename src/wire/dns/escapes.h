// Which octets of a label need a backslash in a master file (RFC 1035 §5.1).
#pragma once

#include <array>
#include <cstdint>

namespace glasspost::dns {

enum class Escape : std::uint8_t { kNone, kBackslash, kNumber };

inline constexpr auto kNameEscapes = [] {
  std::array<Escape, 256> table{};
  for (std::size_t c = 0; c < 256; ++c) table[c] = c > 0x20 && c < 0x7f ? Escape::kNone : Escape::kNumber;
  for (const char c : {'.', '\\', '"', ';', '(', ')', '@', '$'}) table[static_cast<std::uint8_t>(c)] = Escape::kBackslash;
  return table;
}();

}  // namespace glasspost::dns
