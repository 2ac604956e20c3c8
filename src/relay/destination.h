// Where a recipient's mail goes: the destination by which entries of the queue are grouped and limited, and the parts of an
// address as the directory knows them.
#pragma once

#include <optional>
#include <string>

#include "base/address.h"
#include "base/octets.h"
#include "relay/options.h"
#include "store/directory.h"

namespace glasspost::relay {

// In A-label form (RFC 5890 §2.3.2.1), lower case, without a final dot; an address literal as it is, in lower case. Nothing where
// it cannot be (an impossible label).
std::optional<std::string> AsciiDomain(Octets domain);

// Local part without its quotes, domain as AsciiDomain; nothing where it is no address with both.
std::optional<store::AddressName> SplitAddress(Octets path);

// "[192.0.2.1]", "[IPv6:2001:db8::1]" (RFC 5321 §4.1.3), or the same without brackets.
std::optional<Address> ParseAddress(Octets text);

// The route for a domain (in AsciiDomain's form); null: none, as the MX says.
const Route* FindRoute(const RelayOptions& options, Octets domain);

// What NewEntry::destination is to be: the domain, or "route:" and the route's domain where one names a host, so that all who go
// there share its connections. Empty: no such address.
std::string DestinationOf(const RelayOptions& options, Octets recipient);

}  // namespace glasspost::relay
