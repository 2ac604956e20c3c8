#include "analysis/phrases.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"

namespace glasspost::analysis {
namespace {

constexpr std::size_t kMaxPlaces = 4;  // places for numbers and words in one pattern

bool IsNumber(std::string_view word) {
  return std::ranges::all_of(word, [](char c) { return IsDigit(c) || c == '.'; });
}

// What stands at the places of `pattern` in `text`, or nothing if it does not match.
std::optional<std::array<std::string_view, kMaxPlaces>> Match(std::string_view pattern, std::string_view text) {
  std::array<std::string_view, kMaxPlaces> places;
  std::size_t count = 0;
  while (!pattern.empty()) {
    const auto open = std::min(pattern.find('{'), pattern.size());
    if (!text.starts_with(pattern.substr(0, open))) return {};
    text.remove_prefix(open);
    pattern.remove_prefix(open);
    if (pattern.empty()) break;
    const bool number = pattern.starts_with("{#}");
    pattern.remove_prefix(number ? 3 : 2);
    std::string_view word = text.substr(0, text.find_first_of(" ,"));
    if (!pattern.empty()) word = word.substr(0, word.find(pattern.front()));
    if (word.empty() || count == kMaxPlaces || (number && !IsNumber(word))) return {};
    places[count++] = word;
    text.remove_prefix(word.size());
  }
  if (!text.empty()) return {};
  return places;
}

std::string Put(std::string_view form, const std::array<std::string_view, kMaxPlaces>& places) {
  std::string out;
  for (std::size_t i = 0;; ++i) {
    const auto at = form.find("{}");
    out += form.substr(0, at);
    if (at == std::string_view::npos || i == kMaxPlaces) return out;
    out += places[i];
    form.remove_prefix(at + 2);
  }
}

}  // namespace

std::optional<std::string> InChinese(std::span<const Phrase> phrases, std::string_view text) {
  for (const Phrase& phrase : phrases)
    if (const auto places = Match(phrase.english, text)) return Put(phrase.chinese, *places);
  return {};
}

}  // namespace glasspost::analysis
