// What the one who decides says: yes, or a refusal with its code. Shared by the server session and those who decide for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

namespace glasspost::smtp {

// RFC 5321 §4.2, RFC 3463. Without a code it is a yes in the session's own words. `text` is one line or several with '\n'
// between them; octets that a reply may not hold are left out.
struct Answer {
  std::uint16_t code = 0;
  std::string enhanced;  // "5.7.1"; where it is empty, what fits the code
  std::string text;      // where it is empty, what fits the code

  bool yes() const { return code == 0 || code / 100 == 2 || code / 100 == 3; }
  static Answer Yes(std::string text = {}) { return {0, {}, std::move(text)}; }
  static Answer No(std::uint16_t code, std::string enhanced, std::string text) {
    return {code, std::move(enhanced), std::move(text)};
  }
};

// Nothing: the answer comes later, by the session's Decide.
using Decision = std::optional<Answer>;
inline constexpr std::nullopt_t kLater = std::nullopt;

}  // namespace glasspost::smtp
