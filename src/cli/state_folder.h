// Where the commands of a user keep what they remember.
#pragma once

#include <string>

namespace glasspost::cli {

// "$XDG_STATE_HOME/glasspost" or "~/.local/state/glasspost", which may not be there yet; empty if there is no place for it.
std::string StateFolder();

}  // namespace glasspost::cli
