// Names as an operator types them, judged by RFC 5321's grammar and brought into the form in which the store holds them.
//
// A domain's letters A-Z become a-z. An internationalised domain is taken as it is given, in UTF-8 (RFC 6531) or in A-labels
// (RFC 5890): the two are different names here, and a domain that is to be served under both is added twice. (Nothing on the way
// of mail turns one into the other either, so what a sender wrote is what is compared.)
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/octets.h"
#include "store/directory.h"

namespace glasspost::server {

// "example.org"; no address literal.
Expected<std::string> ParseDomainName(Octets text);
// "user@example.org", "\"odd one\"@example.org"; brackets around it are taken off. The local part comes without its quotes.
Expected<store::AddressName> ParseAddressName(Octets text);
// Also "@example.org", a catch-all: its local part is empty.
Expected<store::AddressName> ParseAliasName(Octets text);

}  // namespace glasspost::server
