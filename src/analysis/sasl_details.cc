#include "analysis/sasl_details.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"

namespace glasspost::analysis {
namespace {

struct Words {
  std::string_view english;
  std::string_view chinese;
};
constexpr Words kWords[] = {
#define GLASSPOST_SASL_WORD(english, chinese) {english, chinese},
#define GLASSPOST_SASL_PHRASE(english, chinese)
#include "analysis/texts/sasl.inc"
#undef GLASSPOST_SASL_WORD
#undef GLASSPOST_SASL_PHRASE
};
constexpr Words kPhrases[] = {
#define GLASSPOST_SASL_WORD(english, chinese)
#define GLASSPOST_SASL_PHRASE(english, chinese) {english, chinese},
#include "analysis/texts/sasl.inc"
#undef GLASSPOST_SASL_WORD
#undef GLASSPOST_SASL_PHRASE
};

constexpr std::string_view kJoint = ", ", kMask = "*** (";

std::size_t Digits(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), IsDigit) - text.begin());
}

// Octets of the mask at the beginning of `text`, 0 if there is none; `number` becomes its digits.
std::size_t MaskLength(std::string_view text, std::string_view& number) {
  if (!text.starts_with(kMask)) return 0;
  number = text.substr(kMask.size(), Digits(text.substr(kMask.size())));
  const std::string_view rest = text.substr(kMask.size() + number.size());
  if (number.empty()) return 0;
  for (const std::string_view end : {" octets)", " octet)"})
    if (rest.starts_with(end)) return kMask.size() + number.size() + end.size();
  return 0;
}

// The word that `text` begins with, where a quoted value or a mask follows it.
const Words* WordAt(std::string_view text) {
  for (const Words& w : kWords) {
    if (!text.starts_with(w.english)) continue;
    const std::string_view rest = text.substr(w.english.size());
    if (rest.starts_with(" \"") || rest.starts_with(" ***")) return &w;
  }
  return nullptr;
}

// A phrase that is the next item: what it is in Chinese; `length` becomes its octets.
std::optional<std::string> PhraseAt(std::string_view text, std::size_t& length) {
  for (const Words& p : kPhrases) {
    const std::size_t place = std::min(p.english.find("{#}"), p.english.size());
    if (!text.starts_with(p.english.substr(0, place))) continue;
    if (place == p.english.size()) return length = place, std::string(p.chinese);
    const std::string_view number = text.substr(place, Digits(text.substr(place)));
    const std::string_view tail = p.english.substr(place + 3);
    if (number.empty() || !text.substr(place + number.size()).starts_with(tail)) continue;
    length = place + number.size() + tail.size();
    std::string told(p.chinese);
    return told.replace(told.find("{}"), 2, number);
  }
  return {};
}

// Where the quoted value ends that `text` is behind the opening quote of: its own quotes are not escaped, so the closing one is
// the first that another item, or nothing, follows.
std::size_t ValueEnd(std::string_view text) {
  for (std::size_t at = text.find('"'); at != std::string_view::npos; at = text.find('"', at + 1)) {
    const std::string_view behind = text.substr(at + 1);
    if (behind.empty()) return at;
    std::size_t length = 0;
    if (behind.starts_with(kJoint) && (WordAt(behind.substr(kJoint.size())) || PhraseAt(behind.substr(kJoint.size()), length)))
      return at;
  }
  return std::string_view::npos;
}

// All of `text` in Chinese, or nothing where an item of it is not ours.
std::optional<std::string> Translate(std::string_view text) {
  std::string out;
  for (;;) {
    std::size_t length = 0;
    if (const auto phrase = PhraseAt(text, length)) {
      out += *phrase;
      text.remove_prefix(length);
    } else if (const Words* word = WordAt(text)) {
      text.remove_prefix(word->english.size() + 1);
      out += word->chinese;
      out += ' ';
      std::string_view number;
      if (const std::size_t mask = MaskLength(text, number); mask > 0) {
        out += MasksIn(text.substr(0, mask), Language::kChinese);
        text.remove_prefix(mask);
      } else {
        const std::size_t end = text.starts_with('"') ? ValueEnd(text.substr(1)) : std::string_view::npos;
        if (end == std::string_view::npos) return {};
        out += text.substr(0, end + 2);
        text.remove_prefix(end + 2);
      }
    } else {
      return {};
    }
    if (text.empty()) return out;
    if (!text.starts_with(kJoint)) return {};
    out += "，";
    text.remove_prefix(kJoint.size());
  }
}

}  // namespace

std::string MasksIn(std::string_view text, Language language) {
  std::string out;
  for (;;) {
    const std::size_t at = language == Language::kChinese ? text.find(kMask) : std::string_view::npos;
    out += text.substr(0, at);
    if (at == std::string_view::npos) return out;
    text.remove_prefix(at);
    std::string_view number;
    const std::size_t length = MaskLength(text, number);
    if (length > 0)
      (out += "***（").append(number) += " 个八位组）";
    else
      out += kMask;
    text.remove_prefix(length > 0 ? length : kMask.size());
  }
}

std::string SaslDetails(std::string_view decoded, Language language) {
  if (language == Language::kChinese)
    if (auto told = Translate(decoded)) return *told;
  return std::string(decoded);
}

}  // namespace glasspost::analysis
