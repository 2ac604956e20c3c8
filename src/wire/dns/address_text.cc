#include "wire/dns/address_text.h"

#include <charconv>
#include <cstdint>

#include "base/ascii.h"

namespace glasspost::dns {

bool ParseIp4(Octets text, std::string& out) {
  char octets[4];
  for (int i = 0; i < 4; ++i) {
    const std::size_t dot = text.find('.');
    if ((dot == Octets::npos) != (i == 3)) return false;
    const Octets part = text.substr(0, dot);
    const auto number = ParseNumber(part);
    if (!number || *number > 255 || part.size() > 3) return false;
    octets[i] = static_cast<char>(*number);
    if (i < 3) text.remove_prefix(dot + 1);
  }
  out.append(octets, 4);
  return true;
}

bool ParseIp6(Octets text, std::string& out) {
  std::string head, tail;  // before and after "::"
  bool gap = false;
  if (text.starts_with("::")) {
    gap = true;
    text.remove_prefix(2);
  }
  while (!text.empty()) {
    std::string& part = gap ? tail : head;
    const std::size_t colon = text.find(':');
    const Octets group = text.substr(0, colon);
    if (colon == Octets::npos && group.find('.') != Octets::npos) {
      if (!ParseIp4(group, part)) return false;
      break;
    }
    std::uint16_t value = 0;
    const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), value, 16);
    if (group.empty() || group.size() > 4 || error != std::errc{} || end != group.data() + group.size()) return false;
    part += static_cast<char>(value >> 8);
    part += static_cast<char>(value);
    if (colon == Octets::npos) break;
    text.remove_prefix(colon + 1);
    if (text.empty()) return false;
    if (text.front() == ':') {
      if (gap) return false;
      gap = true;
      text.remove_prefix(1);
    }
  }
  const std::size_t size = head.size() + tail.size();
  if (gap ? size > 14 : size != 16) return false;
  out += head;
  out.append(16 - size, '\0');
  out += tail;
  return true;
}

}  // namespace glasspost::dns
