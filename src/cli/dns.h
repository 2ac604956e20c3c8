// `glasspost dns`: asks name servers, as nslookup and dig do, and serves zones.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// The program's exit status (command_line.h).
int RunDns(std::vector<std::string> words);

}  // namespace glasspost::cli
