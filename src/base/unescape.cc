#include "base/unescape.h"

namespace glasspost {

Expected<std::string> Unescape(Octets text) {
  static constexpr Octets kNames("rnt0\\", 5), kMeant("\r\n\t\0\\", 5);
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out += text[i];
      continue;
    }
    const Octets rest = text.substr(i + 1);
    const std::size_t at = rest.empty() ? Octets::npos : kNames.find(rest.front());
    const bool hex = rest.size() >= 3 && rest.front() == 'x' && HexValue(rest[1]) >= 0 && HexValue(rest[2]) >= 0;
    if (at == Octets::npos && !hex)
      return Fail("is no escape", "\\" + std::string(rest.substr(0, 1)), "\\r \\n \\t \\0 \\\\ \\xHH");
    out += hex ? static_cast<char>(HexValue(rest[1]) * 16 + HexValue(rest[2])) : kMeant[at];
    i += hex ? 3 : 1;
  }
  return out;
}

}  // namespace glasspost
