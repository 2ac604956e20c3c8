// glasspost send: writes a message and submits it to a server.
#pragma once

#include <string>
#include <vector>

#include "cli/account_choice.h"
#include "cli/outgoing.h"
#include "cli/unsent.h"

namespace glasspost::cli {

// The words behind "send"; the exit status (see `glasspost help send`).
int RunSend(const std::vector<std::string>& words);

// Logs in and sends it, as `glasspost send` does, and tells what came of it; the exit status.
int SendOutgoing(const CommandLine& line, const AccountChoice& choice, agent::Account account, Outgoing message, Unsent& unsent);

}  // namespace glasspost::cli
