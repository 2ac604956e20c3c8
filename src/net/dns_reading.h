// What an answer of the DNS says: the records of one type at the end of its chain of aliases, or why there are none; and the
// addresses of a host.
#pragma once

#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "net/resolver.h"
#include "wire/dns/message.h"

namespace glasspost::net {

struct DnsReading {
  enum class Kind : std::uint8_t { kRecords, kNoRecords, kNoName, kLater };
  Kind kind = Kind::kLater;
  std::string why;  // kLater
  dns::Message message;
  std::vector<const dns::Record*> records;  // of the type asked for; into `message`
  DnsReading() = default;
  DnsReading(const DnsReading&) = delete;
  DnsReading& operator=(const DnsReading&) = delete;
};

// `out` is a new one. At most `most` records are kept.
void ReadAnswer(const DnsAnswer& answer, const std::string& name, std::uint16_t type, std::size_t most, DnsReading& out);

// Without its final dot.
std::string NameText(Octets name);

// An address as it is, brackets around it or not; of a name IPv6 and IPv4 in turn, so that where one family leads nowhere the
// other is not tried last. At most `most`; an error says why there are none.
Task<Expected<std::vector<Address>>> FindAddresses(Resolver& resolver, std::string host, std::size_t most);

}  // namespace glasspost::net
