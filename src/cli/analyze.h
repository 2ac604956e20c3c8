// `glasspost analyze`: tells the conversations of capture files.
#pragma once

#include <CLI/CLI.hpp>

namespace glasspost::cli {

// Adds the subcommand; its exit status is written to `status` when it ran: 0 read, 1 read with faults in the capture file,
// 2 usage, 3 cannot open.
void AddAnalyze(CLI::App& app, int& status);

}  // namespace glasspost::cli
