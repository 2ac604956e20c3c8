// Providers, servers and how TLS begins there, as people and programs read it.
#pragma once

#include <string>

#include "agent/providers.h"
#include "cli/command_line.h"
#include "server/json.h"

namespace glasspost::cli {

// All about one, several lines.
std::string ProviderText(const agent::Provider& provider, const CommandLine& line);
// What has to be known before one logs in, wrapped, with `margin` spaces before each line.
std::string CatchText(const agent::Provider& provider, const CommandLine& line, std::size_t margin);
std::string_view TlsText(agent::TlsKind tls, const CommandLine& line);
// {"host":…,"port":…,"tls":…}
server::json::object ServerJson(const agent::ServerAddress& server);

}  // namespace glasspost::cli
