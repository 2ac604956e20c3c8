// The text of addresses: dotted decimal, and the canonical form of IPv6 (RFC 5952 §4).
#include "base/address.h"

#include <charconv>

namespace glasspost {
namespace {

// Longest text: "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", brackets, colon, port.
constexpr std::size_t kLongestText = 39;
constexpr std::size_t kLongestEndpoint = kLongestText + 2 + 1 + 5;

char* WriteDecimalOctet(char* to, unsigned v) {
  if (v >= 100) *to++ = static_cast<char>('0' + v / 100);
  if (v >= 10) *to++ = static_cast<char>('0' + v / 10 % 10);
  *to++ = static_cast<char>('0' + v % 10);
  return to;
}

char* WriteV4(char* to, const std::uint8_t* p) {
  for (int i = 0; i < 4; ++i) {
    if (i > 0) *to++ = '.';
    to = WriteDecimalOctet(to, p[i]);
  }
  return to;
}

// RFC 5952 §4.1, §4.3: no leading zeros, lower case.
char* WriteGroup(char* to, unsigned v) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (int shift = v >= 0x1000 ? 12 : v >= 0x100 ? 8 : v >= 0x10 ? 4 : 0; shift >= 0; shift -= 4)
    *to++ = kDigits[v >> shift & 0xf];
  return to;
}

char* WriteV6(char* to, const std::uint8_t* p) {
  // RFC 5952 §4.2: "::" stands for the longest run of two or more zero groups, the first of equals.
  int best = 8, best_length = 1;
  for (int i = 0; i < 8;) {
    int n = 0;
    while (i + n < 8 && Load16(p + 2 * (i + n)) == 0) ++n;
    if (n > best_length) best = i, best_length = n;
    i += n > 0 ? n : 1;
  }
  for (int i = 0; i < 8;) {
    if (i == best) {
      *to++ = ':';
      *to++ = ':';
      i += best_length;
      continue;
    }
    if (i > 0 && i != best + best_length) *to++ = ':';
    to = WriteGroup(to, Load16(p + 2 * i));
    ++i;
  }
  return to;
}

char* Write(char* to, const Address& a) { return a.is_v4() ? WriteV4(to, a.octets.data() + 12) : WriteV6(to, a.octets.data()); }

}  // namespace

void Address::AppendText(std::string& out) const {
  char text[kLongestText];
  out.append(text, static_cast<std::size_t>(Write(text, *this) - text));
}

std::string Address::Text() const {
  std::string out;
  AppendText(out);
  return out;
}

void Endpoint::AppendText(std::string& out) const {
  char text[kLongestEndpoint];
  char* to = text;
  const bool brackets = !address.is_v4();
  if (brackets) *to++ = '[';
  to = Write(to, address);
  if (brackets) *to++ = ']';
  *to++ = ':';
  to = std::to_chars(to, text + sizeof text, port).ptr;
  out.append(text, static_cast<std::size_t>(to - text));
}

std::string Endpoint::Text() const {
  std::string out;
  AppendText(out);
  return out;
}

}  // namespace glasspost
