// The details of findings in another language than English. What a finding found is mostly the peer's octets, a name or a number;
// where it is words of our own, they stand in texts/details.inc.
#pragma once

#include <string>
#include <string_view>

#include "analysis/language.h"

namespace glasspost::analysis {

// A finding's detail in `language`; one that holds no words of our own comes back as it is.
std::string DetailText(std::string_view detail, Language language);

}  // namespace glasspost::analysis
