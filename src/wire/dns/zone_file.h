// Master files (RFC 1035 §5): text to a zone's records, and what a zone must have to be served. Pure: nothing is opened, and
// $INCLUDE is refused. Every mistake is told with its place and what to do, not only the first.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/octets.h"

namespace glasspost::dns {

struct ZoneFileLimits {
  static constexpr std::size_t kOctets = std::size_t{64} << 20;  // stops a file that is none from filling the memory
  static constexpr std::size_t kRecords = 1'000'000;
  static constexpr std::size_t kWords = 16'384;  // of one record: the longest data in the shortest words
  static constexpr std::size_t kMistakes = 20;   // told; stops a file of rubbish from scrolling for ever
};

struct ZoneRecord {
  std::string name;  // octets, as it is written
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;
  std::string data;        // octets, names uncompressed
  std::uint32_t line = 0;  // from 1
};

// Of class IN.
struct Zone {
  std::string origin;  // octets of the name that has the SOA
  std::vector<ZoneRecord> records;
};

struct ZoneMistake {
  std::uint32_t line = 0;    // from 1; 0: the file as a whole
  std::uint32_t column = 0;  // from 1, in octets
  std::string what;
  std::string remedy;

  // "root.zone:3:7: this is no IPv4 address: 192.0.2.256 (write four numbers from 0 to 255: 192.0.2.1)"; escaped by the caller.
  std::string Text(const std::string& file) const;
};

// The zone in `text`; it counts only if `mistakes` is empty afterwards.
Zone ReadZone(Octets text, std::vector<ZoneMistake>& mistakes);

// What the grammar does not say (RFC 1035 §5.2, RFC 2181 §10.1): one SOA, name servers, nothing outside of the zone, no CNAME
// beside other data, an address for each name server that is itself within the zone. Records that are there twice are left out
// (RFC 2181 §5), the TTLs of a set become the least of them (§5.2). Called by ReadZone.
void CheckZone(Zone& zone, std::vector<ZoneMistake>& mistakes);

}  // namespace glasspost::dns
