// Names of hosts and domains as people write them, and as the DNS and TLS have them.
#pragma once

#include <optional>
#include <string>

#include "base/address.h"
#include "base/octets.h"

namespace glasspost::net {

// In A-label form (RFC 5890 §2.3.2.1), lower case, without a final dot; an address literal as it is, in lower case. Nothing where
// it cannot be (an impossible or empty label).
std::optional<std::string> AsciiDomain(Octets domain);

// "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 §4.1.3), or the same without brackets.
std::optional<Address> ParseAddress(Octets text);

// What this machine calls itself; "localhost" if it does not say.
std::string ThisHost();

}  // namespace glasspost::net
