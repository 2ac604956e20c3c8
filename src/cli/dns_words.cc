#include "cli/dns_words.h"

namespace glasspost::cli {

std::string_view Say(DnsWord word, analysis::Language language) {
  static constexpr std::string_view kWords[][2] = {
#define GLASSPOST_DNS_WORDS(key, en, zh) {en, zh},
#include "cli/texts/dns.inc"
#undef GLASSPOST_DNS_WORDS
  };
  return kWords[static_cast<int>(word)][static_cast<int>(language)];
}

}  // namespace glasspost::cli
