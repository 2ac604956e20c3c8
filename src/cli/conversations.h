// `glasspost conversations` and `glasspost conversation N`: the server's own, told as `analyze` tells those of a capture.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// `words`: what stands after the command. Statuses as in cli/command_line.h.
int RunConversations(const std::vector<std::string>& words);
int RunConversation(const std::vector<std::string>& words);

}  // namespace glasspost::cli
