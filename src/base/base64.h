// Base64 (RFC 4648 §4). It hides nothing: whoever has the text has the octets.
#pragma once

#include <optional>
#include <string>

#include "base/octets.h"

namespace glasspost {

// Strict: only the alphabet, padding where it belongs; nothing for anything else. "=" alone (RFC 4954's empty answer) is no
// base64.
std::optional<std::string> DecodeBase64(Octets text);
std::string EncodeBase64(Octets octets);

}  // namespace glasspost
