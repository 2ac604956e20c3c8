// `glasspost dns` without a name: questions typed one after the other, in nslookup's words.
#pragma once

#include <string>
#include <vector>

#include "agent/dns_client.h"
#include "cli/command_line.h"
#include "cli/dns_asker.h"

namespace glasspost::cli {

// Reads standard input to its end or to `exit`. The status of the last question.
int RunDnsShell(const CommandLine& line, DnsAsker& asker, const std::string& server_word, std::vector<Endpoint> servers,
                const agent::DnsOptions& options);

}  // namespace glasspost::cli
