#include "analysis/finding_details.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/ascii.h"

namespace glasspost::analysis {
namespace {

struct Detail {
  std::string_view english;
  std::string_view chinese;
};

constexpr Detail kDetails[] = {
#define GLASSPOST_FINDING_DETAIL(english, chinese) {english, chinese},
#include "analysis/texts/details.inc"
#undef GLASSPOST_FINDING_DETAIL
};

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
    const std::string_view word = text.substr(0, text.find_first_of(" ,"));
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

std::optional<std::string> Translate(std::string_view detail) {
  for (const Detail& d : kDetails)
    if (const auto places = Match(d.english, detail)) return Put(d.chinese, *places);
  return {};
}

// Parts that are joined by `joint`, if each of them is words of our own.
std::optional<std::string> TranslateParts(std::string_view detail, std::string_view joint, std::string_view chinese_joint) {
  std::string out;
  for (;;) {
    const auto at = detail.find(joint);
    const auto part = Translate(detail.substr(0, at));
    if (!part) return {};
    out += *part;
    if (at == std::string_view::npos) return out;
    out += chinese_joint;
    detail.remove_prefix(at + joint.size());
  }
}

}  // namespace

std::string DetailText(std::string_view detail, Language language) {
  if (language == Language::kEnglish) return std::string(detail);
  if (auto told = TranslateParts(detail, "; ", "；")) return *told;
  if (auto told = TranslateParts(detail, ": ", "：")) return *told;
  return std::string(detail);
}

}  // namespace glasspost::analysis
