// Addresses in zone-file form to octets.
#pragma once

#include <string>

#include "base/octets.h"

namespace glasspost::dns {

// Appends 4 or 16 octets; false, and nothing appended, for any other text.
bool ParseIp4(Octets text, std::string& out);  // four decimal numbers
bool ParseIp6(Octets text, std::string& out);  // RFC 4291 §2.2

}  // namespace glasspost::dns
