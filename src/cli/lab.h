// `glasspost lab`: the experiment with our own server and our own clients.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// `words` without the command itself. Returns the exit status.
int RunLab(const std::vector<std::string>& words);

}  // namespace glasspost::cli
