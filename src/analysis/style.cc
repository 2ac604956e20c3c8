#include "analysis/style.h"

#include <algorithm>

#include "base/escape.h"

namespace glasspost::analysis {
namespace {

constexpr std::size_t kLeastColumns = 20;  // to wrap in; a terminal that leaves fewer wraps for itself

// Unicode's East Asian Wide and Fullwidth blocks, as far as mail holds them.
bool IsWide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0x303e) || (c >= 0x3041 && c <= 0xa4cf) ||
         (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) ||
         (c >= 0xff00 && c <= 0xff60) || (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x1f300 && c <= 0x1f64f) ||
         (c >= 0x1f900 && c <= 0x1f9ff) || (c >= 0x20000 && c <= 0x3fffd);
}

// No line begins with one of these.
bool IsClosingMark(char32_t c) { return c == U'，' || c == U'。' || c == U'；' || c == U'：' || c == U'、' || c == U'）'; }

// The next piece that must not be torn: the blanks before it, then a word, or one wide character with the marks at it.
std::string_view TakePiece(std::string_view& text) {
  const std::string_view all = text;
  std::size_t at = std::min(all.find_first_not_of(' '), all.size());
  bool after_wide = false, after_opening = false;
  for (bool first = true; at < all.size() && all[at] != ' '; first = false) {
    char32_t c = 0;
    const std::size_t n = std::max<std::size_t>(Utf8Length(all.substr(at), c), 1);
    const bool wide = IsWide(c), opens = c == U'（';
    if (!first && !IsClosingMark(c) && !after_opening && (wide || after_wide)) break;
    after_opening = opens;
    after_wide = wide;
    at += n;
  }
  text.remove_prefix(at);
  return all.substr(0, at);
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

std::string CutToWidth(std::string_view text, std::size_t width) {
  std::size_t used = 0, fits = 0;  // octets that leave a column for the mark
  for (std::size_t at = 0; at < text.size();) {
    char32_t c = 0;
    const std::size_t n = Utf8Length(text.substr(at), c);
    const std::size_t columns = n > 0 && IsWide(c) ? 2 : 1;
    if (used + columns > width) return width == 0 ? std::string() : std::string(text.substr(0, fits)) + "…";
    used += columns;
    at += n == 0 ? 1 : n;
    if (used < width) fits = at;
  }
  return std::string(text);
}

void AppendWrapped(std::string& out, std::string_view text, std::size_t at, std::size_t columns) {
  if (columns < at + kLeastColumns) {  // no room to wrap in
    out += text;
    return;
  }
  std::size_t column = at;
  while (!text.empty()) {
    std::string_view piece = TakePiece(text);
    if (column > at && column + DisplayWidth(piece) > columns) {
      out += '\n';
      out.append(at, ' ');
      column = at;
      piece.remove_prefix(std::min(piece.find_first_not_of(' '), piece.size()));
    }
    out += piece;
    column += DisplayWidth(piece);
  }
}

}  // namespace glasspost::analysis
