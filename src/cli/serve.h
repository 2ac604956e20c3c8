// `glasspost serve`: the mail server in the foreground.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// `words` without the command itself. Returns the exit status.
int RunServe(std::vector<std::string> words);

}  // namespace glasspost::cli
