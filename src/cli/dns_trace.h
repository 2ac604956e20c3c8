// `glasspost dns --trace`: the walk from the root, step by step.
#pragma once

#include <string>

#include "agent/dns_client.h"
#include "cli/command_line.h"
#include "cli/dns_asker.h"

namespace glasspost::cli {

// `root`: where the walk begins, as @SERVER says; empty: the root of the Internet.
int RunDnsTrace(const CommandLine& line, DnsAsker& asker, const agent::DnsQuestion& question, const std::string& root,
                const agent::DnsOptions& options, bool message, bool short_form);

}  // namespace glasspost::cli
