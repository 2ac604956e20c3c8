// The administration's settings and verifiers, from the configuration: the same for a running server and for a command that
// opened the store itself.
#pragma once

#include <memory>

#include "server/admin.h"
#include "server/config.h"
#include "server/passwords.h"

namespace glasspost::server {

std::shared_ptr<const AdminSettings> MakeAdminSettings(const Config& config, const std::string& default_domain);
// AdminContext::make_verifiers of the server's pool. `passwords` outlives it; `options` are asked for each time.
std::function<void(std::string, AdminContext::Made)> VerifiersOf(Passwords& passwords, std::function<VerifierOptions()> options);
bool KnowsVerifier(const std::string& verifier);

}  // namespace glasspost::server
