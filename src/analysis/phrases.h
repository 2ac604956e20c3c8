// Texts of our own in another language: tables of phrases with places for what differs. Pure.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace glasspost::analysis {

// "{#}" in `english` is a number, "{}" a word or number without spaces; "{}" in `chinese` takes what stands there, in the same
// order.
struct Phrase {
  std::string_view english;
  std::string_view chinese;
};

// The whole text, if it is one of the phrases.
std::optional<std::string> InChinese(std::span<const Phrase> phrases, std::string_view text);

}  // namespace glasspost::analysis
