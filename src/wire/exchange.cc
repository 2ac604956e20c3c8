#include "wire/exchange.h"

namespace glasspost {

std::string_view Name(Protocol p) {
  static constexpr std::string_view kNames[] = {"unknown", "smtp", "lmtp", "pop3", "imap", "dns", "tls"};
  return kNames[static_cast<int>(p)];
}

std::string_view Name(Phase p) {
  static constexpr std::string_view kNames[] = {"connect", "greeting",  "tls",  "auth", "envelope",
                                                "data",    "retrieval", "quit", "close"};
  return kNames[static_cast<int>(p)];
}

}  // namespace glasspost
