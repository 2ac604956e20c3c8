// `glasspost alias`: aliases, of a running server or of its data folder.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// `words`: what stands after the command. Statuses as in cli/command_line.h.
int RunAlias(const std::vector<std::string>& words);

}  // namespace glasspost::cli
