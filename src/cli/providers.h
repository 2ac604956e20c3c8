// `glasspost providers`: the directory of well-known providers.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// `words`: what stands behind "glasspost providers". Gives the exit status.
int RunProviders(const std::vector<std::string>& words);

}  // namespace glasspost::cli
