// `glasspost account add|list|test|remove`: the accounts of the person who runs it.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// `words`: what stands behind "glasspost account". Gives the exit status.
int RunAccount(const std::vector<std::string>& words);

}  // namespace glasspost::cli
