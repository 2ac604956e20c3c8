// What the program says of itself: the help of each command in both languages (texts/help.inc), and what is meant by a mistyped
// word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analysis/language.h"

namespace glasspost::cli {

// The commands that there are: "analyze", "help".
bool IsCommand(std::string_view word);

// Empty: of the program as a whole. Lines of at most 80 columns, each ended by LF.
std::string Help(std::string_view command, analysis::Language language);

// The command, or the option ("--json") of a command, that comes closest to `word`; empty where none is near.
std::string_view NearestCommand(std::string_view word);
std::string_view NearestOption(std::string_view word, std::string_view command = "analyze");

// All options that the command's help names, in its order: "--json", "-c".
std::vector<std::string_view> HelpedOptions(std::string_view command = "analyze");

}  // namespace glasspost::cli
