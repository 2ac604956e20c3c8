// APOP's digest (RFC 1939 §7), as both sides make it.
#pragma once

#include <string>

#include "base/hmac.h"
#include "base/octets.h"
#include "base/sha256.h"

namespace glasspost::pop3 {

// In hexadecimal. `challenge` with its angle brackets.
inline std::string ApopDigest(Octets challenge, Octets secret) {
  std::string text(challenge);
  text += secret;
  std::string digest = Hex(HashMd5(text));
  Wipe(text);
  return digest;
}

}  // namespace glasspost::pop3
