#include "wire/dns/text_util.h"

#include <charconv>

#include "wire/dns/escapes.h"

namespace glasspost::dns {

void AppendNumber(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

void AppendHex(std::string& out, Octets octets) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  const std::size_t old = out.size();
  out.resize(old + 2 * octets.size());
  char* to = out.data() + old;
  for (const char c : octets) {
    const auto u = static_cast<std::uint8_t>(c);
    *to++ = kDigits[u >> 4];
    *to++ = kDigits[u & 0xf];
  }
}

void AppendEscaped(std::string& out, std::uint8_t octet) {
  char text[4];
  out.append(text, WriteEscaped(text, octet));
}

void AppendQuoted(std::string& out, Octets text) {
  out += '"';
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto u = static_cast<std::uint8_t>(text[i]);
    const bool odd = u < 0x20 || u >= 0x7f;
    if (!odd && u != '"' && u != '\\') continue;
    out += text.substr(plain, i - plain);
    plain = i + 1;
    if (odd) {
      AppendEscaped(out, u);
    } else {
      out += '\\';
      out += text[i];
    }
  }
  out += text.substr(plain);
  out += '"';
}

void AppendWord(std::string& out, Octets text) {
  char octet[4];
  for (const char c : text) out.append(octet, WriteNameOctet(octet, c));
}

void AppendBase32(std::string& out, Octets octets) {
  static constexpr char kDigits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUV";
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : octets) {
    bits = bits << 8 | static_cast<std::uint8_t>(c);
    for (count += 8; count >= 5; count -= 5) out += kDigits[bits >> (count - 5) & 31];
  }
  if (count > 0) out += kDigits[bits << (5 - count) & 31];
}

void AppendIp4(std::string& out, const std::uint8_t* octets) {
  for (int i = 0; i < 4; ++i) {
    const std::uint8_t n = octets[i];
    if (i != 0) out += '.';
    if (n >= 100) out += static_cast<char>('0' + n / 100);
    if (n >= 10) out += static_cast<char>('0' + n / 10 % 10);
    out += static_cast<char>('0' + n % 10);
  }
}

void AppendIp6(std::string& out, const std::uint8_t* octets) {
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(octets, kMapped, sizeof kMapped) == 0) {
    out += "::ffff:";
    AppendIp4(out, octets + 12);
    return;
  }
  // The longest run of two or more zero groups, the first of equal ones, becomes "::" (RFC 5952 §4.2).
  int best = -1, best_length = 1;
  for (int i = 0; i < 8;) {
    int end = i;
    while (end < 8 && Load16(octets + 2 * end) == 0) ++end;
    if (end - i > best_length) best = i, best_length = end - i;
    i = end + 1;
  }
  char text[40];
  char* to = text;
  for (int i = 0; i < 8; ++i) {
    if (i == best) {
      *to++ = ':', *to++ = ':';
      i += best_length - 1;
      continue;
    }
    if (i != 0 && to[-1] != ':') *to++ = ':';
    to = std::to_chars(to, text + sizeof text, Load16(octets + 2 * i), 16).ptr;
  }
  out.append(text, to);
}

void AppendOpaque(std::string& out, Octets data) {
  out += "\\# ";
  AppendNumber(out, data.size());
  if (data.empty()) return;
  out += ' ';
  AppendHex(out, data);
}

}  // namespace glasspost::dns
