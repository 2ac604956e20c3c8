#include "cli/state_folder.h"

#include <cstdlib>

namespace glasspost::cli {

std::string StateFolder() {
  if (const char* const state = std::getenv("XDG_STATE_HOME"); state != nullptr && *state == '/')
    return std::string(state) + "/glasspost";
  const char* const home = std::getenv("HOME");
  return home == nullptr ? std::string() : std::string(home) + "/.local/state/glasspost";
}

}  // namespace glasspost::cli
