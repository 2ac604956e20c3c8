// The words of the POP3 server's replies, by key and language (RFC 6856 §3).
#pragma once

#include <cstdint>
#include <string_view>

namespace glasspost::pop3 {

enum class Text : std::uint8_t {
#define GLASSPOST_POP3_TEXT(id, en, zh) id,
#include "wire/pop3/server_texts.inc"
#undef GLASSPOST_POP3_TEXT
};
enum class ReplyLanguage : std::uint8_t { kEnglish, kChinese };

// UTF-8, without line ends.
constexpr std::string_view TextOf(Text text, ReplyLanguage language) {
  constexpr std::string_view kTexts[][2] = {
#define GLASSPOST_POP3_TEXT(id, en, zh) {en, zh},
#include "wire/pop3/server_texts.inc"
#undef GLASSPOST_POP3_TEXT
  };
  return kTexts[static_cast<int>(text)][static_cast<int>(language)];
}

}  // namespace glasspost::pop3
