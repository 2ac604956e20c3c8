// What `glasspost probe` says of a server.
#pragma once

#include <string>

#include "agent/probe.h"
#include "cli/command_line.h"
#include "server/json.h"

namespace glasspost::cli {

std::string FaultText(agent::ProbeFault fault, const agent::ProbedServer& server, const CommandLine& line);
// Lines, each ended: the server, what it offers, its faults.
std::string ProbedText(const agent::ProbedServer& server, Timestamp now, const CommandLine& line);
server::json::object ProbedJson(const agent::ProbedServer& server, Timestamp now);

}  // namespace glasspost::cli
