// `glasspost dns --config`: this machine's addresses and name servers.
#pragma once

#include "cli/command_line.h"

namespace glasspost::cli {

int TellMachine(const CommandLine& line);

}  // namespace glasspost::cli
