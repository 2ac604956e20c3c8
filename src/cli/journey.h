// `glasspost journey`: what happened to a message, on one host or joined over several.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// `words`: what stands after the command. Statuses as in cli/command_line.h.
int RunJourney(std::vector<std::string> words);

}  // namespace glasspost::cli
