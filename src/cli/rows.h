// "  label    text that goes on in its own column": how facts of one thing are told on a terminal.
#pragma once

#include <string>
#include <string_view>

#include "cli/command_line.h"

namespace glasspost::cli {

struct RowLayout {
  std::size_t margin = 2;
  std::size_t label = 11;  // columns
};

// As wide as the terminal, or 80 columns where there is none; never narrower than 30 for the text.
void AppendWrappedText(std::string& out, std::string_view text, std::size_t at, const CommandLine& line);
void AppendRow(std::string& out, std::string_view label, std::string_view text, const CommandLine& line,
               const RowLayout& layout = {});

}  // namespace glasspost::cli
