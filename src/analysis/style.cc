#include "analysis/style.h"

#include "base/escape.h"

namespace glasspost::analysis {
namespace {

// Unicode's East Asian Wide and Fullwidth blocks, as far as mail holds them.
bool IsWide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0x303e) || (c >= 0x3041 && c <= 0xa4cf) ||
         (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) ||
         (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1f64f) ||
         (c >= 0x1f900 && c <= 0x1f9ff) || (c >= 0x20000 && c <= 0x3fffd);
}

}  // namespace

std::size_t DisplayWidth(std::string_view text) {
  std::size_t width = 0;
  while (!text.empty()) {
    char32_t c = 0;
    const std::size_t n = Utf8Length(text, c);
    width += n > 0 && IsWide(c) ? 2 : 1;
    text.remove_prefix(n == 0 ? 1 : n);
  }
  return width;
}

std::string PadRight(std::string_view text, std::size_t width) {
  const std::size_t w = DisplayWidth(text);
  return std::string(text) + std::string(w < width ? width - w : 0, ' ');
}

std::string PadLeft(std::string_view text, std::size_t width) {
  const std::size_t w = DisplayWidth(text);
  return std::string(w < width ? width - w : 0, ' ') + std::string(text);
}

}  // namespace glasspost::analysis
