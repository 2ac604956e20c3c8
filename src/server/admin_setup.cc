#include "server/admin_setup.h"

#include "base/ascii.h"
#include "server/service_settings.h"

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

Expected<void> CheckVerifier(const Config& config, const std::string& verifier) {
  const std::string scheme = verifier.substr(0, verifier.find('}') + 1);
  if (verifier.size() > store::DirectoryLimits::kVerifierOctets || CostOf(verifier) == VerifierCost::kNever)
    return Fail("is no verifier that is known here", scheme, "as in {SSHA256}…, {SHA512-CRYPT}$6$…, {BLF-CRYPT}$2y$…");
  if (EqualsNoCase(scheme, "{PLAIN}") && !MakeVerifierOptions(config).plain)
    return Fail("would keep the password as it is, which only APOP and CRAM-MD5 need", scheme,
                "set auth.apop or auth.cram_md5 first");
  return {};
}

}  // namespace glasspost::server
