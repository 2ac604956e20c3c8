// Where a recipient's mail goes: the destination by which entries of the queue are grouped and limited, and the parts of an
// address as the directory knows them.
#pragma once

#include <optional>
#include <string>

#include "base/octets.h"
#include "relay/options.h"
#include "store/directory.h"

namespace glasspost::relay {

// Local part without its quotes, domain as net::AsciiDomain; nothing where it is no address with both.
std::optional<store::AddressName> SplitAddress(Octets path);

// The route for a domain (in net::AsciiDomain's form); null: none, as the MX says.
const Route* FindRoute(const RelayOptions& options, Octets domain);

// What NewEntry::destination is to be: the domain, or "route:" and the route's domain where one names a host, so that all who go
// there share its connections. Empty: no such address.
std::string DestinationOf(const RelayOptions& options, Octets recipient);

}  // namespace glasspost::relay
