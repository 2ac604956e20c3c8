// The XML document by which a domain tells mail programs its servers ("clientConfig", version 1.1: incomingServer and
// outgoingServer with hostname, port, socketType, username). Read by GLib's GMarkup, which knows neither DTDs nor entities of
// one's own and reads nothing but what it is given; bounded on top of that.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "agent/account.h"
#include "base/error.h"
#include "base/octets.h"

namespace glasspost::agent {

struct AutoconfigLimits {
  static constexpr std::size_t kOctets = std::size_t{256} << 10;  // stops a document that is none
  static constexpr std::size_t kDepth = 16;                       // stops elements within elements
  static constexpr std::size_t kElements = 10'000;
  static constexpr std::size_t kTextOctets = 1024;  // of one value
  static constexpr std::size_t kServers = 100;
};

struct OfferedServer {
  Service service = Service::kPop3;
  ServerAddress server;
  std::string user;         // with %EMAILADDRESS% and the like replaced
  bool oauth_only = false;  // no mechanism with a password
  bool operator==(const OfferedServer&) const = default;
};

// In the order of the document, which is that of preference; what is of another kind (Exchange) or makes no sense is left out.
// `address`: for whom. An error says what is wrong with the document, and in which line.
Expected<std::vector<OfferedServer>> ReadAutoconfig(Octets xml, const AddressParts& address);

}  // namespace glasspost::agent
