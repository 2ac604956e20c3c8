// A password as it is given to a command: typed without being seen, or from a file.
#pragma once

#include <string>

#include "analysis/language.h"
#include "base/error.h"

namespace glasspost::cli {

// Typed twice on the terminal, without echo. An error where there is none to ask.
Expected<std::string> AskPassword(const std::string& user, analysis::Language language);
// Typed once: what a server elsewhere knows.
Expected<std::string> AskLoginPassword(const std::string& user, analysis::Language language);
// The first line of the file, "-" for standard input, without its line end.
Expected<std::string> ReadPasswordFile(const std::string& file);

}  // namespace glasspost::cli
