// dig's way of writing: its options in ours.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"

namespace glasspost::cli {

// +short, +trace, +tcp (+vc), +ignore, +norecurse (+norec), +noedns, +dnssec (+do), +time=SECONDS, +tries=N; -x ADDRESS, -t TYPE,
// -p PORT (of the @SERVER). Other words stay as they are. An error: a word with + that is none of these, -p without a number or a
// server, -x without an address.
Expected<std::vector<std::string>> FromDig(const std::vector<std::string>& words);

}  // namespace glasspost::cli
