// What the process may do: root's power, which is given up once the ports are bound, and the number of its descriptors.
#pragma once

#include <cstddef>
#include <string>

#include "base/error.h"

namespace glasspost::server {

// Becomes `user` (with `group`, or else the user's own) for good; nothing if `user` is empty. `folder` and what is in it is made
// the user's first. An error if it cannot be done, or could be undone.
Expected<void> DropPrivileges(const std::string& user, const std::string& group, const std::string& folder);

// Makes it as many as it may have, and says how many that are.
std::size_t RaiseDescriptorLimit();

}  // namespace glasspost::server
