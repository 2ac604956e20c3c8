// Gives root's power up once the ports are bound.
#pragma once

#include <string>

#include "base/error.h"

namespace glasspost::server {

// Becomes `user` (with `group`, or else the user's own) for good; nothing if `user` is empty. `folder` and what is in it is made
// the user's first. An error if it cannot be done, or could be undone.
Expected<void> DropPrivileges(const std::string& user, const std::string& group, const std::string& folder);

}  // namespace glasspost::server
