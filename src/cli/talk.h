// `glasspost talk`: SMTP, POP3 or IMAP spoken by hand, by a script, or stage after stage.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

int RunTalk(const std::vector<std::string>& words);

}  // namespace glasspost::cli
