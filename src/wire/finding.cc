#include "wire/finding.h"

namespace glasspost {

const FindingInfo& Info(FindingId id) {
  static constexpr FindingInfo kTable[] = {
#define GLASSPOST_FINDING(id, name, severity, rfc) {name, severity, rfc},
#include "wire/finding_table.inc"
#undef GLASSPOST_FINDING
  };
  return kTable[static_cast<int>(id)];
}

std::string_view Name(Severity severity) {
  static constexpr std::string_view kNames[] = {"note", "warning", "error"};
  return kNames[static_cast<int>(severity)];
}

}  // namespace glasspost
