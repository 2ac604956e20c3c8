// The folder that holds the server's mail, queue, conversations and keys. It may be one that has other things in it: what is not
// the server's own is left as it is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/error.h"

namespace glasspost::server {

// What the server and its store make there; names only, what lies in folders among them is not listed.
Expected<std::vector<std::filesystem::path>> OwnFiles(const std::string& folder);

// Before anything is made in a data folder: what this process makes from now on is its user's alone.
void KeepToOwner();
// What was made there before by one that did not, or copied there, becomes its owner's alone, too; links are not followed.
Expected<void> KeepToOwner(const std::string& folder);

// The folder, if it is this process's user's, can be passed through by everyone, but not listed: so others reach the socket in
// it.
Expected<void> LetPass(const std::string& folder);

}  // namespace glasspost::server
