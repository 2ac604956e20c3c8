// glasspost probe: what mail servers offer.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// sysexits.h is not spoken here: see the help.
int RunProbe(const std::vector<std::string>& words);

}  // namespace glasspost::cli
