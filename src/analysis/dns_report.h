// One question to a name server and its answer, told to people (every record with what it says), as data, or octet by octet. What
// the two messages are, DnsObserver says, as it does for captures.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/language.h"
#include "analysis/style.h"
#include "base/address.h"
#include "base/octets.h"
#include "base/origin.h"
#include "wire/dns/message.h"

namespace glasspost::analysis {

struct DnsLookup {
  Endpoint server;
  std::string_view transport;  // "udp", "tcp"
  Octets query;
  Octets answer;  // empty: there is none
  Timestamp sent = kNoTime;
  Timestamp received = kNoTime;
  struct Event {
    std::string_view name;  // "timed-out"
    std::string detail;
  };
  std::vector<Event> events;  // what happened besides
  std::string failure;        // why there is no answer
};

// The answer, section by section; what the peer sent is plain ASCII by then.
void AppendDnsAnswer(std::string& out, const DnsLookup& lookup, Language language, const Style& style);
// What a record says, in a sentence; empty for a type without one.
std::string DnsRecordMeaning(const dns::Message& message, const dns::Record& record, Language language);
// The data of the records that were asked for, one a line.
void AppendDnsShort(std::string& out, Octets answer);
// One object and LF; docs/json.md describes it.
void AppendDnsJson(std::string& out, const DnsLookup& lookup, Language language);
// Query and answer, octet by octet.
void AppendDnsOctets(std::string& out, const DnsLookup& lookup, Language language, const Style& style);

}  // namespace glasspost::analysis
