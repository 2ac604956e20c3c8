// The words of `glasspost dns`, by key and language (texts/dns.inc).
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>

#include "analysis/language.h"

namespace glasspost::cli {

enum class DnsWord : unsigned char {
#define GLASSPOST_DNS_WORDS(key, en, zh) key,
#include "cli/texts/dns.inc"
#undef GLASSPOST_DNS_WORDS
};

std::string_view Say(DnsWord word, analysis::Language language);

template <class... Arguments>
std::string Say(DnsWord word, analysis::Language language, const Arguments&... arguments) {
  return fmt::format(fmt::runtime(Say(word, language)), arguments...);
}

}  // namespace glasspost::cli
