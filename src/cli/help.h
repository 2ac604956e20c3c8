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

// The command or the option ("--json") of `analyze` that comes closest to `word`; empty where none is near.
std::string_view NearestCommand(std::string_view word);
std::string_view NearestOption(std::string_view word);

// All options that the help names, in its order: "--json", "-c".
std::vector<std::string_view> HelpedOptions();

}  // namespace glasspost::cli
