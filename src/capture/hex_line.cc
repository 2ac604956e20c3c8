#include "capture/hex_line.h"

#include "base/ascii.h"
#include "base/unescape.h"

namespace glasspost::capture {
namespace {

constexpr Octets kMiddleDot = "\xc2\xb7";  // what newer Wiresharks print for an octet that does not print
constexpr std::size_t kTabColumns = 8;

constexpr bool IsSpace(char c) { return c == ' ' || c == '\t'; }
constexpr bool IsSeparator(char c) { return IsSpace(c) || c == ',' || c == ':' || c == ';' || c == '-' || c == '"'; }

// `pattern`: 0 stands for a digit, all else for itself.
bool Matches(Octets text, Octets pattern) {
  if (text.size() < pattern.size()) return false;
  for (std::size_t i = 0; i < pattern.size(); ++i)
    if (pattern[i] == '0' ? !IsDigit(text[i]) : text[i] != pattern[i]) return false;
  return true;
}

// "Frame (79 bytes):", "Reassembled TCP (300 bytes):". The text column of a dump may end so, too.
bool IsLabel(Octets trimmed) {
  constexpr Octets kEnd = " bytes):";
  if (!trimmed.ends_with(kEnd) || !IsAlpha(trimmed.front()) || trimmed.find("  ") != Octets::npos) return false;
  const std::size_t open = trimmed.rfind('(');
  return open != Octets::npos && ParseNumber(trimmed.substr(open + 1, trimmed.size() - kEnd.size() - open - 1)).has_value();
}

HexLine::Kind KindOf(Octets trimmed) {
  if (trimmed.empty()) return HexLine::Kind::kBoundary;
  if (trimmed.front() == '#') return HexLine::Kind::kComment;
  if (trimmed == "*") return HexLine::Kind::kRepeat;
  if (IsLabel(trimmed) || Matches(trimmed, "Frame 0")) return HexLine::Kind::kBoundary;
  // tcpdump's line before each packet
  if (Matches(trimmed, "00:00:00.0") || Matches(trimmed, "0000-00-00 00:00")) return HexLine::Kind::kBoundary;
  return HexLine::Kind::kData;
}

}  // namespace

std::vector<HexLine> SplitHexLines(Octets text) {
  std::vector<HexLine> lines;
  bool not_a_frame = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const std::size_t end = text.find('\n');
    Octets line = text.substr(0, end);
    text.remove_prefix(end == Octets::npos ? text.size() : end + 1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const Octets trimmed = Trim(line);
    const HexLine::Kind kind = KindOf(trimmed);
    if (kind == HexLine::Kind::kBoundary)
      not_a_frame = !trimmed.empty() && IsLabel(trimmed) && !trimmed.starts_with("Frame") && !trimmed.starts_with("Packet");
    if (!not_a_frame || kind == HexLine::Kind::kBoundary) lines.push_back({kind, number, line});
  }
  return lines;
}

HexToken NextHexToken(Octets line, std::size_t at) {
  HexToken token;
  for (; at < line.size() && IsSeparator(line[at]); ++at)
    if (IsSpace(line[at])) token.spaces += line[at] == '\t' ? kTabColumns : 1;
  token.column = token.end = at;
  if (at == line.size()) return token;
  if (line[at] == '|' || line[at] == '>') {
    token.kind = HexToken::Kind::kBar;
    return token;
  }
  const Octets rest = line.substr(at);
  const bool backslash = rest.starts_with("\\x");
  token.prefixed = backslash || StartsWithNoCase(rest, "0x");
  std::size_t digits = token.prefixed ? 2 : 0;
  std::size_t end = digits;
  while (end < rest.size() && HexValue(rest[end]) >= 0) ++end;
  const bool ended = end == rest.size() || IsSeparator(rest[end]) || rest[end] == '|' || (backslash && rest[end] == '\\');
  token.end = at + end;
  if (end == digits || !ended) {
    token.kind = HexToken::Kind::kOther;
    return token;
  }
  token.digits = rest.substr(digits, end - digits);
  token.odd = token.digits.size() % 2 != 0 && !(token.prefixed && token.digits.size() == 1);
  token.kind = token.odd ? HexToken::Kind::kOther : HexToken::Kind::kDigits;
  return token;
}

void AppendDigits(Octets digits, std::vector<std::uint8_t>& row) {
  if (digits.size() == 1) row.push_back(static_cast<std::uint8_t>(HexValue(digits[0])));  // 0x0
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    row.push_back(static_cast<std::uint8_t>(HexValue(digits[i]) << 4 | HexValue(digits[i + 1])));
}

// Stops at the first octet that differs: it is asked at each token of a line that may be long.
bool IsTextColumn(Octets line, std::size_t at, const std::vector<std::uint8_t>& row) {
  const std::size_t begin = line.find_first_not_of(" \t", at);
  if (begin == Octets::npos) return false;
  const std::size_t blanks = begin - at;
  std::size_t i = 0;
  while (i < row.size() && i < blanks && row[i] == ' ') ++i;
  if (i == blanks) return false;
  Octets rest = line.substr(begin);
  for (; i < row.size() && !rest.empty(); ++i) {
    const bool dot = rest.starts_with(kMiddleDot);
    const char expected = row[i] >= 0x20 && row[i] < 0x7f ? static_cast<char>(row[i]) : '.';
    if ((dot ? '.' : rest.front()) != expected) return false;
    rest.remove_prefix(dot ? kMiddleDot.size() : 1);
  }
  // Copies often lose the white space at the end.
  while (i < row.size() && row[i] == ' ') ++i;
  return i == row.size() && rest.find_first_not_of(" \t") == Octets::npos;
}

bool MayBeTextColumn(Octets line, std::size_t at, const std::vector<std::uint8_t>& row) {
  const HexToken token = NextHexToken(line, at);
  return token.kind == HexToken::Kind::kEnd || token.kind == HexToken::Kind::kBar || token.spaces >= 2 ||
         IsTextColumn(line, at, row);
}

}  // namespace glasspost::capture
