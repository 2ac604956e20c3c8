#include "analysis/finding_details.h"

#include <optional>

#include "analysis/phrases.h"

namespace glasspost::analysis {
namespace {

constexpr Phrase kDetails[] = {
#define GLASSPOST_FINDING_DETAIL(english, chinese) {english, chinese},
#include "analysis/texts/details.inc"
#undef GLASSPOST_FINDING_DETAIL
};

// Parts that are joined by `joint`, if each of them is words of our own.
std::optional<std::string> TranslateParts(std::string_view detail, std::string_view joint, std::string_view chinese_joint) {
  std::string out;
  for (;;) {
    const auto at = detail.find(joint);
    const auto part = InChinese(kDetails, detail.substr(0, at));
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
