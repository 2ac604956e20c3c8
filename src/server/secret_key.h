// The server's own secret: what it makes up for accounts that are not there hangs on it, and must be the same after a restart. If
// it were drawn anew each time, a salt that stays would tell which accounts are there.
#pragma once

#include <string>

#include "base/error.h"
#include "base/randomness.h"

namespace glasspost::server {

// 32 octets, of the file "secret.key" in the data folder, which is made if it is not there. The caller has the folder for itself.
Expected<std::string> SecretKey(const std::string& folder, Randomness& randomness);

}  // namespace glasspost::server
