// Asks the DNS (RFC 1035). The answer is the message as it came, to be read by wire/dns, with its DNSSEC state (RFC 4035 §4.3):
// what a journey shows is what was said. Implementations: libunbound (unbound_resolver.h), a fixed table (fixed_resolver.h).
#pragma once

#include <cstdint>
#include <string>

#include "net/asio.h"

namespace glasspost::net {

struct DnsAnswer {
  // RFC 4033 §5.
  enum class Security : std::uint8_t {
    kIndeterminate,  // there is no trust anchor to judge it by, or no answer
    kInsecure,       // no chain of signatures leads to it, and none should
    kSecure,
    kBogus,  // it should be signed and is not, or wrongly
  };
  // Why there is no answer at all; empty if there is one (be it "no such name").
  std::string failure;
  std::string message;  // octets of the whole answer; empty if it failed
  Security security = Security::kIndeterminate;
  std::string why_bogus;
  std::uint16_t rcode = 0;  // with EDNS's upper bits; 2 (SERVFAIL) if it failed
};

class Resolver {
 public:
  virtual ~Resolver() = default;
  // `name` in zone-file form; it is taken as absolute. On the thread of the resolver's io_context. Ends in any case: the
  // implementation has its time-outs.
  virtual Task<DnsAnswer> Query(std::string name, std::uint16_t type) = 0;
};

}  // namespace glasspost::net
