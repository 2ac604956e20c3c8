// glasspost fetch: mail from a POP3 maildrop into a Maildir, an mbox or files.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// The words behind "fetch"; the exit status (see `glasspost help fetch`).
int RunFetch(const std::vector<std::string>& words);

}  // namespace glasspost::cli
