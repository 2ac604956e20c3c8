#include "cli/error_text.h"

#include "analysis/phrases.h"

namespace glasspost::cli {
namespace {

constexpr analysis::Phrase kErrors[] = {
#define GLASSPOST_ERROR(english, chinese) {english, chinese},
#include "cli/texts/errors.inc"
#undef GLASSPOST_ERROR
};

// The name that a person gave stays; what says where in it is put into Chinese.
std::string ChinesePlace(std::string_view where) {
  constexpr std::string_view kJoint = ", ";
  if (auto whole = analysis::InChinese(kErrors, where)) return *std::move(whole);
  for (auto at = where.find(kJoint); at != std::string_view::npos; at = where.find(kJoint, at + 1))
    if (const auto place = analysis::InChinese(kErrors, where.substr(at + kJoint.size())))
      return ChinesePlace(where.substr(0, at)) + "，" + *place;
  return std::string(where);
}

}  // namespace

Error InLanguage(const Error& error, analysis::Language language) {
  if (language == analysis::Language::kEnglish) return error;
  return {ErrorText(error.what, language), ChinesePlace(error.where), ErrorText(error.remedy, language)};
}

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
