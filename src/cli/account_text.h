// What `glasspost account` says: of accounts, of the way to their servers, of trials.
#pragma once

#include <string>

#include "agent/discovery.h"
#include "cli/command_line.h"
#include "server/json.h"

namespace glasspost::cli {

std::string_view OriginText(agent::Origin origin, const CommandLine& line);
std::string_view SourceText(agent::PasswordSource::Kind kind, const CommandLine& line);
// One line: where was looked, and what came of it.
std::string StepText(const agent::Step& step, const CommandLine& line);
// One line: the server, and where it was found.
std::string FoundText(agent::Service service, const agent::FoundServer& found, const CommandLine& line);
// One line: what came of it, in the server's own words where it said them.
std::string TrialText(agent::Service service, const agent::ServerAddress& server, const agent::Trial& trial,
                      const CommandLine& line);

// The password itself is never in it.
server::json::object AccountJson(const agent::Account& account);
server::json::object DiscoveryJson(const agent::Discovery& discovery);
server::json::object TrialJson(agent::Service service, const agent::ServerAddress& server, const agent::Trial& trial);

}  // namespace glasspost::cli
