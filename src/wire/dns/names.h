// A name's octets (labels with their lengths, the root label at the end) taken apart. All views are into the name.
#pragma once

#include <string>

#include "base/ascii.h"
#include "base/octets.h"

namespace glasspost::dns {

inline constexpr Octets kRootName("", 1);

// Without its first label: "mail.example.test." gives "example.test."; of the root, the root.
inline Octets Parent(Octets name) {
  const auto size = name.empty() ? std::size_t{0} : static_cast<std::size_t>(static_cast<std::uint8_t>(name.front()));
  return size == 0 || size + 1 >= name.size() ? kRootName : name.substr(size + 1);
}

inline std::size_t LabelCount(Octets name) {
  std::size_t count = 0;
  for (; name.size() > 1; name = Parent(name)) ++count;
  return count;
}

// The name's last `labels` labels; it has as many.
inline Octets LastLabels(Octets name, std::size_t labels) {
  for (std::size_t count = LabelCount(name); count > labels; --count) name = Parent(name);
  return name;
}

// Is `name` the same as `ancestor`, or below it? Without case (RFC 4343 §3).
inline bool IsWithin(Octets name, Octets ancestor) {
  const std::size_t labels = LabelCount(ancestor);
  return LabelCount(name) >= labels && EqualsNoCase(LastLabels(name, labels), ancestor);
}

// As names are looked up (RFC 4343 §3). No length octet is a letter: none is above 63.
inline std::string LowerName(Octets name) {
  std::string lower(name);
  for (char& c : lower) c = ToLower(c);
  return lower;
}

}  // namespace glasspost::dns
