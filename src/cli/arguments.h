// The options of `glasspost analyze`, and which of them go together.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace glasspost::cli {

struct Arguments {
  std::vector<std::string> files;
  std::vector<std::string> hex_files;
  std::vector<std::uint64_t> conversations;
  std::uint64_t hex_exchange = 0;  // 0: not given
  bool hex = false;
  bool json = false;
  bool no_messages = false;
  bool attachments = false;
  bool full = false;
  bool show_secrets = false;
  std::string messages;
  bool messages_given = false;
  std::string language;
  std::string colour = "auto";
  int threads = 0;  // 0: as many as the machine has cores; -1: none, all on the reading one
};

// Each option is in the help, too (texts/help.inc); a test holds the two together.
void AddOptions(CLI::App& app, Arguments& a);

// Options that are nothing without another, or that contradict each other, are an error that says what is missing.
Expected<void> CheckTogether(const Arguments& a);

}  // namespace glasspost::cli
