#include "server/admin_setup.h"

namespace glasspost::server {

std::shared_ptr<const AdminSettings> MakeAdminSettings(const Config& config, const std::string& default_domain) {
  auto settings = std::make_shared<AdminSettings>();
  settings->host = OwnHostName(config);
  settings->default_domain = default_domain;
  settings->quota = config.mailboxes.quota.octets;
  settings->message_octets = config.limits.message.octets;
  settings->received_limit = config.smtp.received;
  return settings;
}

std::function<void(std::string, AdminContext::Made)> VerifiersOf(Passwords& passwords, std::function<VerifierOptions()> options) {
  return [&passwords, options = std::move(options)](std::string password, AdminContext::Made made) {
    passwords.Make(std::move(password), options(), std::move(made));
  };
}

bool KnowsVerifier(const std::string& verifier) { return CostOf(verifier) != VerifierCost::kNever; }

}  // namespace glasspost::server
