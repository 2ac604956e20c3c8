// ASCII without locale, for protocol words (RFC 5321 §2.4: commands know no case).
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>

#include "base/octets.h"

namespace glasspost {

constexpr char ToUpper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; }
constexpr char ToLower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

constexpr bool EqualsNoCase(Octets a, Octets b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i)
    if (ToUpper(a[i]) != ToUpper(b[i])) return false;
  return true;
}
constexpr bool StartsWithNoCase(Octets text, Octets prefix) {
  return text.size() >= prefix.size() && EqualsNoCase(text.substr(0, prefix.size()), prefix);
}
inline std::string UpperCase(Octets text) {
  std::string t(text);
  for (char& c : t) c = ToUpper(c);
  return t;
}
// Without spaces and tabs at both ends.
constexpr Octets Trim(Octets t) {
  while (!t.empty() && (t.front() == ' ' || t.front() == '\t')) t.remove_prefix(1);
  while (!t.empty() && (t.back() == ' ' || t.back() == '\t')) t.remove_suffix(1);
  return t;
}
// Without CRLF, a bare LF or a bare CR at the end, once.
constexpr Octets WithoutLineEnd(Octets line) {
  if (line.ends_with('\n')) line.remove_suffix(1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}
// The whole of `text` as a decimal number; nothing for an empty text, a sign, other characters or more than 64 bits.
inline std::optional<std::uint64_t> ParseNumber(Octets text) {
  std::uint64_t v = 0;
  if (text.empty() || !IsDigit(text.front())) return {};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), v);
  if (error != std::errc{} || end != text.data() + text.size()) return {};
  return v;
}
// The whole of `text` as a port that can be connected to, 1 to 65535.
inline std::optional<std::uint16_t> ParsePort(Octets text) {
  const auto port = ParseNumber(text);
  if (!port || *port == 0 || *port > 0xffff) return {};
  return static_cast<std::uint16_t>(*port);
}

}  // namespace glasspost
