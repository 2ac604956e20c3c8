// glasspost send: writes a message and submits it to a server.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// The words behind "send"; the exit status (see `glasspost help send`).
int RunSend(const std::vector<std::string>& words);

}  // namespace glasspost::cli
