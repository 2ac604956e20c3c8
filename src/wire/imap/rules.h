// Which IMAP command is allowed when (RFC 9051 §3 and §6, RFC 3501 and its extensions): one constexpr table.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "base/octets.h"
#include "wire/exchange.h"
#include "wire/sasl/secrets.h"

namespace glasspost::imap {

// RFC 9051 §3. Bits, so that a rule can name several.
enum State : std::uint8_t {
  kNotAuthenticated = 1,
  kAuthenticated = 2,
  kSelected = 4,
  kLoggedOut = 8,
  kAnyState = kNotAuthenticated | kAuthenticated | kSelected,
  kLoggedIn = kAuthenticated | kSelected,
};

enum class Verb : std::uint8_t {
  kUnknown,
  kLogin,
  kAuthenticate,
  kStarttls,
  kSelect,
  kExamine,
  kClose,
  kUnselect,
  kIdle,
  kAppend,
  kReplace,
  kFetch,
  kCompress,
  kLogout,
  kUnauthenticate,
  kOther,  // known, and nothing hangs on it
};

struct Rule {
  Octets name;
  Verb verb;
  std::uint8_t allowed;  // states in which the client may send it
  std::string_view rfc;  // empty: no RFC has it
};

// What carries a secret where no command is read: the commands mistyped or misplaced, and those of the other protocols.
inline constexpr sasl::SecretWord kSecretWords[] = {
    {"LOGIN", 1}, {"AUTHENTICATE", 1}, {"AUTH", 1}, {"AUTHPLAIN"}, {"AUTHLOGIN"}, {"APOP", 1}, {"PASS"}, {"PASSWD"}, {"PASSWORD"},
};

// All of them, in the order of their names.
std::span<const Rule> Rules();
// `name` without regard to case, with "UID " before it where it is one; nothing for a command that no standard has.
const Rule* FindRule(Octets name);

// The state after the server's OK to it; `before` where it changes nothing.
State After(Verb verb, State before);

// The phase to which a command belongs that is sent in this state.
Phase PhaseOf(Verb verb, bool before_login);

}  // namespace glasspost::imap
