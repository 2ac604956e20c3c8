#include "base/escape.h"

#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <iterator>

namespace glasspost {
namespace {

bool Prints(char32_t c) {
  if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return false;
  if (c >= 0x200b && c <= 0x200f) return false;  // zero width, marks of direction
  if (c >= 0x2028 && c <= 0x202e) return false;  // line separators, embedding and override
  if (c >= 0x2060 && c <= 0x206f) return false;  // invisible operators, isolates
  if (c == 0xad || c == 0x61c || c == 0xfeff) return false;
  if ((c >= 0xfff9 && c <= 0xfffb) || (c & 0xfffe) == 0xfffe) return false;
  return c < 0xe0000 || c > 0xe0fff;  // tags, variation selectors
}

}  // namespace

std::size_t Utf8Length(Octets text, char32_t& code_point) {
  if (text.empty()) return 0;
  const auto at = [&](std::size_t i) -> std::uint32_t { return static_cast<std::uint8_t>(text[i]); };
  const auto tail = [&](std::size_t i) { return i < text.size() && (at(i) & 0xc0) == 0x80; };
  const std::uint32_t c = at(0);
  if (c < 0x80) return code_point = c, 1;
  if (c >= 0xc2 && c < 0xe0 && tail(1)) return code_point = (c & 0x1f) << 6 | (at(1) & 0x3f), 2;
  if (c >= 0xe0 && c < 0xf0 && tail(1) && tail(2)) {
    code_point = (c & 0xf) << 12 | (at(1) & 0x3f) << 6 | (at(2) & 0x3f);
    return code_point < 0x800 || (code_point >= 0xd800 && code_point < 0xe000) ? 0 : 3;
  }
  if (c >= 0xf0 && c < 0xf5 && tail(1) && tail(2) && tail(3)) {
    code_point = (c & 7) << 18 | (at(1) & 0x3f) << 12 | (at(2) & 0x3f) << 6 | (at(3) & 0x3f);
    return code_point < 0x10000 || code_point > 0x10ffff ? 0 : 4;
  }
  return 0;
}

bool IsUtf8(Octets text) {
  char32_t c = 0;
  while (!text.empty()) {
    const std::size_t n = Utf8Length(text, c);
    if (n == 0) return false;
    text.remove_prefix(n);
  }
  return true;
}

void AppendForTerminal(std::string& out, Octets text) {
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && text[plain] >= 0x20 && text[plain] < 0x7f) ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return;
    char32_t c = 0;
    const std::size_t n = Utf8Length(text, c);
    if (n != 0 && Prints(c)) {
      out.append(text.substr(0, n));
    } else if (n <= 1) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<std::uint8_t>(text[0]));
    } else {
      fmt::format_to(std::back_inserter(out), "\\u{{{:04x}}}", static_cast<std::uint32_t>(c));
    }
    text.remove_prefix(n == 0 ? 1 : n);
  }
}

namespace {

bool PlainInJson(char c) {
  return static_cast<std::uint8_t>(c) >= 0x20 && static_cast<std::uint8_t>(c) < 0x7f && c != '"' && c != '\\';
}

// Eight octets at a time: the highest bit of each that is below 0x20, over 0x7e, a quote or a backslash, and no other bits. A
// carry or borrow can set one wrongly, but comes only from a lower octet that has set its own: the lowest one set is right.
std::uint64_t OddInJson(std::uint64_t w) {
  constexpr std::uint64_t kOnes = 0x0101010101010101, kHigh = kOnes << 7;
  return ((w - kOnes * 0x20) | (w + kOnes) | w | ((w ^ kOnes * '"') - kOnes) | ((w ^ kOnes * '\\') - kOnes)) & kHigh;
}

// Octets at the beginning of `text` that a JSON string holds as they are.
std::size_t PlainBeginning(Octets text) {
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(text.data());
  std::size_t at = 0;
  for (; text.size() - at >= 8; at += 8)
    if (const std::uint64_t odd = OddInJson(LoadLittle<std::uint64_t>(begin + at)); odd != 0)
      return at + static_cast<std::size_t>(std::countr_zero(odd)) / 8;
  while (at < text.size() && PlainInJson(text[at])) ++at;
  return at;
}

void AppendJsonEscape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
      return;
  }
}

}  // namespace

bool IsPlainJson(Octets text) {
  const auto* const begin = reinterpret_cast<const std::uint8_t*>(text.data());
  const std::size_t size = text.size();
  if (size >= 8) {
    std::uint64_t found = OddInJson(LoadNative<std::uint64_t>(begin + size - 8));  // the last word overlaps the one before it
    for (std::size_t i = 0; i + 8 < size; i += 8) found |= OddInJson(LoadNative<std::uint64_t>(begin + i));
    return found == 0;
  }
  if (size >= 4) {
    const std::uint64_t last = LoadNative<std::uint32_t>(begin + size - 4);
    return OddInJson(LoadNative<std::uint32_t>(begin) | last << 32) == 0;
  }
  for (const char c : text)
    if (!PlainInJson(c)) return false;
  return true;
}

void AppendJsonString(std::string& out, Octets text) {
  out.push_back('"');
  while (!text.empty()) {
    const std::size_t plain = PlainBeginning(text);
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    char32_t c = 0;
    const std::size_t n = Utf8Length(text, c);
    if (n > 1 && (Prints(c) || c >= 0x10000)) {
      out.append(text.substr(0, n));
    } else if (n > 1) {  // controls of a terminal and marks of direction: JSON may hold them, whoever prints it should not
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(c));
    } else if (n == 1) {
      AppendJsonEscape(out, text[0]);
    } else {
      out += "\xef\xbf\xbd";
    }
    text.remove_prefix(n == 0 ? 1 : n);
  }
  out.push_back('"');
}

}  // namespace glasspost
