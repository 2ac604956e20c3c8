// glasspost mail: reads, saves, answers mail of a folder or of an account's maildrop.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// The words behind "mail"; the exit status (see `glasspost help mail`).
int RunMail(const std::vector<std::string>& words);

}  // namespace glasspost::cli
