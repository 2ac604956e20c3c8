// What base64 of a login means, in the reader's language. wire/sasl says it in English; the words stand in texts/sasl.inc.
#pragma once

#include <string>
#include <string_view>

#include "analysis/language.h"

namespace glasspost::analysis {

// `decoded` of a request or a reply. Text that is not made of our own words (a challenge that the server wrote) stays as it is.
std::string SaslDetails(std::string_view decoded, Language language);

// `text` with each mask in it, "*** (7 octets)", in that language.
std::string MasksIn(std::string_view text, Language language);

}  // namespace glasspost::analysis
