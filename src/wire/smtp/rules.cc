#include "wire/smtp/rules.h"

namespace glasspost::smtp {

std::string_view Name(State state) {
  static constexpr std::string_view kNames[] = {"connected", "greeted", "ready", "authenticating", "mail", "rcpt", "data",
                                                "chunks",    "tls",     "quit"};
  return kNames[static_cast<std::size_t>(state)];
}

}  // namespace glasspost::smtp
