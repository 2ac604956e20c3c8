#include "cli/error_text.h"

#include "analysis/phrases.h"

namespace glasspost::cli {
namespace {

constexpr analysis::Phrase kErrors[] = {
#define GLASSPOST_ERROR(english, chinese) {english, chinese},
#include "cli/texts/errors.inc"
#undef GLASSPOST_ERROR
};

}  // namespace

std::string ErrorText(std::string_view text, analysis::Language language) {
  if (language == analysis::Language::kEnglish) return std::string(text);
  constexpr std::string_view kJoint = ": ";
  std::string out;
  while (true) {
    const auto at = text.find(kJoint);
    const auto part = analysis::InChinese(kErrors, text.substr(0, at));
    out += part ? *part : std::string(text.substr(0, at));
    if (at == std::string_view::npos) return out;
    out += part ? "：" : ": ";
    text.remove_prefix(at + kJoint.size());
  }
}

}  // namespace glasspost::cli
