// The words in which Glasspost speaks to people, by key and language (English and 中文). Data stands in texts/*.inc.
#pragma once

#include <string>
#include <string_view>

#include "analysis/facts.h"
#include "analysis/language.h"
#include "wire/exchange.h"
#include "wire/finding.h"

namespace glasspost::analysis {

// What was found, in plain words, with the finding's detail; the detail's octets are the peer's and not escaped.
std::string FindingText(const Finding& finding, Language language);
// What to do about it.
std::string_view FindingRemedy(FindingId id, Language language);
std::string_view SeverityName(Severity severity, Language language);

std::string_view PhaseName(Phase phase, Language language);
// The phase of the literature that it belongs to: handshake, authentication, data transfer.
std::string_view PhaseGroupName(Phase phase, Language language);

}  // namespace glasspost::analysis
