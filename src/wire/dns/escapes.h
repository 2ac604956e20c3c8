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

// Writes "\010" and tells where it ends.
inline char* WriteEscaped(char* to, std::uint8_t octet) {
  *to++ = '\\';
  *to++ = static_cast<char>('0' + octet / 100);
  *to++ = static_cast<char>('0' + octet / 10 % 10);
  *to++ = static_cast<char>('0' + octet % 10);
  return to;
}

// Writes one octet of a label, one to four characters.
inline char* WriteNameOctet(char* to, char octet) {
  const Escape how = kNameEscapes[static_cast<std::uint8_t>(octet)];
  if (how == Escape::kNumber) return WriteEscaped(to, static_cast<std::uint8_t>(octet));
  if (how == Escape::kBackslash) *to++ = '\\';
  *to++ = octet;
  return to;
}

}  // namespace glasspost::dns
