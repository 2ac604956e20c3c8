// Which hosts take a destination's mail, and in which order (RFC 5321 §5.1): a route's host, an address literal, or what the MX
// records say; the DNS is asked through net::Resolver.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/randomness.h"
#include "net/resolver.h"
#include "relay/options.h"
#include "wire/smtp/client_session.h"

namespace glasspost::relay {

struct Hop {
  std::string host;  // the name that TLS asks for; of a literal the address
  Endpoint endpoint;
};

struct Itinerary {
  std::vector<Hop> hops;   // in the order in which they are tried; empty: `failure` says why
  smtp::Outcome failure;   // kDeferred, or kRefused for good
  NextHop by;              // policy and credentials on the way; its `host` is of no use here
  std::string detail;      // of the journey's event kRouted: question, answer (the DNS message), security, hosts
  bool authentic = false;  // all that was looked up was signed (DNSSEC)
};

struct RoutingLimits {
  static constexpr std::size_t kRecords = 100;  // MX records that are looked at: stops an answer of thousands
  static constexpr std::size_t kLookedUp = 10;  // hosts whose addresses are asked for
};

// `domain` in AsciiDomain's form or a literal; `route` as FindRoute found it, or null. All outlive the coroutine.
net::Task<Itinerary> FindHops(net::Resolver& resolver, const RelayOptions& options, const Route* route, std::string domain,
                              Randomness& randomness);

}  // namespace glasspost::relay
