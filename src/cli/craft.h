// `glasspost craft`: packets from captures and templates, edited field by field, shown, written, sent.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

int RunCraft(std::vector<std::string> words);

}  // namespace glasspost::cli
