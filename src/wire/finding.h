// Findings: faults and remarks, a closed and documented list. Their words stand in analysis/texts by id and language.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/origin.h"

namespace glasspost {

enum class Protocol : std::uint8_t;  // wire/exchange.h

enum class Severity : std::uint8_t { kNote, kWarning, kError };
std::string_view Name(Severity severity);  // "note"

enum class FindingId : std::uint8_t {
#define GLASSPOST_FINDING(id, name, severity, rfc) id,
#include "wire/finding_table.inc"
#undef GLASSPOST_FINDING
};
#define GLASSPOST_FINDING(id, name, severity, rfc) +1
inline constexpr int kFindingCount = 0
#include "wire/finding_table.inc"
    ;
#undef GLASSPOST_FINDING

struct FindingInfo {
  std::string_view name;  // the id in JSON: "cleartext-password"
  Severity severity;
  std::string_view rfc;  // "RFC 5321 §4.5.3.1.6"; see Clause
};
const FindingInfo& Info(FindingId id);
// The clause that is broken in this protocol: its own, where it has one, else the finding's.
std::string_view Clause(FindingId id, Protocol protocol);

struct Finding {
  FindingId id{};
  std::uint64_t exchange = 0;  // number of the exchange, from 1; 0 where it belongs to none
  Origin origin;               // the packet that shows it
  std::string detail;          // what was seen (a command, a size, octets); raw octets of the peer, not yet escaped
};

}  // namespace glasspost
