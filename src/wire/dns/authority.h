// What an authoritative server answers: the look-up of RFC 1034 §4.3.2 with RFC 2308 (negative answers), RFC 4592 (wildcards),
// RFC 6604 (aliases), RFC 6891 (EDNS), RFC 2181 §9 (truncation). Pure: octets of a query in, octets of an answer out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/octets.h"
#include "wire/dns/message.h"
#include "wire/dns/zone_file.h"

namespace glasspost::dns {

struct AuthorityLimits {
  static constexpr std::size_t kAliases = 16;          // followed in one answer: stops chains of CNAMEs
  static constexpr std::uint16_t kUdpOctets = 1232;    // of an answer over UDP, whatever the client offers: nothing is fragmented
  static constexpr std::size_t kPlainUdpOctets = 512;  // without EDNS (RFC 1035 §4.2.1)
};

// Of one thread: what a look-up needs, kept so that nothing is allocated anew.
struct AuthorityWorkspace {
  Message query;
  Message answer;
};

enum class Transport : std::uint8_t { kUdp, kTcp };

// After the last Add it may be used from many threads.
class Authority {
 public:
  // Fails where there is a zone of that name already.
  glasspost::Expected<void> Add(Zone zone);
  bool empty() const { return zones_.empty(); }

  // Replaces `out` by the answer. False: none is given (it was no query, or there is not even a header).
  bool Answer(Octets query, Transport transport, AuthorityWorkspace& work, std::string& out) const;

 private:
  class Lookup;
  struct Set {
    std::uint16_t type = 0;
    std::uint32_t ttl = 0;
    std::vector<std::string> data;
  };
  struct Node {
    std::string name;       // octets, as it is written
    std::vector<Set> sets;  // none: the name is there only because there are names below it (RFC 4592 §2.2.2)
    const Set* Find(std::uint16_t type) const;
  };
  struct Tree {
    std::string origin;                           // octets, lower case
    std::unordered_map<std::string, Node> nodes;  // by octets in lower case
    const Node* Find(Octets lower) const;
    const Node& Apex() const { return *Find(origin); }
  };
  // The zone with the longest name at or above `lower`; `above`: not of that very name.
  const Tree* ZoneOf(Octets lower, bool above) const;

  std::map<std::string, Tree, std::less<>> zones_;
};

}  // namespace glasspost::dns
