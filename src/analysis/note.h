// What Tellers put into their notes (Teller::Note): numbers, small ones in one octet, and texts behind their length. Read back by
// the report that wrote them, so nothing is checked but the end.
#pragma once

#include <cstdint>
#include <string>

#include "base/octets.h"

namespace glasspost::analysis {

inline void PutNumber(std::string& note, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) note.push_back(static_cast<char>(value | 0x80));
  note.push_back(static_cast<char>(value));
}

inline std::uint64_t TakeNumber(Octets& note) {
  std::uint64_t value = 0;
  for (int shift = 0; !note.empty() && shift < 64; shift += 7) {
    const auto octet = static_cast<std::uint8_t>(note.front());
    note.remove_prefix(1);
    value |= std::uint64_t{octet & 0x7fu} << shift;
    if (octet < 0x80) break;
  }
  return value;
}

inline void PutText(std::string& note, Octets text) {
  PutNumber(note, text.size());
  note.append(text);
}

inline Octets TakeText(Octets& note) {
  const std::uint64_t length = TakeNumber(note);
  const Octets text = note.substr(0, static_cast<std::size_t>(length));
  note.remove_prefix(text.size());
  return text;
}

}  // namespace glasspost::analysis
