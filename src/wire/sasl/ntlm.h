// NTLM messages inside SASL ([MS-NLMP] §2.2.1): which of the three it is and the names in it. Nothing of it is trusted: each
// buffer's offset and length is held against the message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/octets.h"

namespace glasspost::sasl {

struct NtlmMessage {
  int type = 0;                 // 1 negotiate, 2 challenge, 3 authenticate
  std::string domain;           // 1, 3; of 2 the target's name; UTF-8
  std::string user;             // 3
  std::string workstation;      // 1, 3
  Octets server_challenge;      // 2: eight octets, a view into the message
  std::size_t lm_response = 0;  // 3: octets
  std::size_t nt_response = 0;  // 3: octets
};

// Nothing if the octets do not begin as an NTLM message of a known type. A name that lies outside of the message stays empty.
std::optional<NtlmMessage> ParseNtlm(Octets message);

// UTF-16LE to UTF-8; half surrogates become U+FFFD, an odd last octet is left out.
std::string Utf8FromUtf16Le(Octets text);

}  // namespace glasspost::sasl
