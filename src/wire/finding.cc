#include "wire/finding.h"

#include "wire/exchange.h"

namespace glasspost {

const FindingInfo& Info(FindingId id) {
  static constexpr FindingInfo kTable[] = {
#define GLASSPOST_FINDING(id, name, severity, rfc) {name, severity, rfc},
#include "wire/finding_table.inc"
#undef GLASSPOST_FINDING
  };
  return kTable[static_cast<int>(id)];
}

std::string_view Clause(FindingId id, Protocol protocol) {
  struct Row {
    FindingId id;
    Protocol protocol;
    std::string_view rfc;
  };
  static constexpr Row kTable[] = {
#define GLASSPOST_FINDING_CLAUSE(id, protocol, rfc) {FindingId::id, Protocol::protocol, rfc},
#include "wire/finding_clauses.inc"
#undef GLASSPOST_FINDING_CLAUSE
  };
  for (const Row& row : kTable)
    if (row.id == id && row.protocol == protocol) return row.rfc;
  return Info(id).rfc;
}

std::string_view Name(Severity severity) {
  static constexpr std::string_view kNames[] = {"note", "warning", "error"};
  return kNames[static_cast<int>(severity)];
}

}  // namespace glasspost
