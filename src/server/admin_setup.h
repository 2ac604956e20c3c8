// The administration's settings and verifiers, from the configuration: the same for a running server and for a command that
// opened the store itself.
#pragma once

#include <memory>

#include "server/admin.h"
#include "server/config.h"
#include "server/passwords.h"

namespace glasspost::server {

std::shared_ptr<const AdminSettings> MakeAdminSettings(const Config& config, const std::string& default_domain);
// AdminContext::check_verifier.
Expected<void> CheckVerifier(const Config& config, const std::string& verifier);

}  // namespace glasspost::server
