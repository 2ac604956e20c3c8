// The configuration, as each part of the server wants it.
#pragma once

#include <memory>

#include "net/admissions.h"
#include "server/account_authenticator.h"
#include "server/config.h"
#include "server/passwords.h"
#include "server/pop3_connection.h"
#include "server/smtp_service.h"

namespace glasspost::server {

enum class ListenerKind : std::uint8_t { kSmtp, kSubmission, kSubmissions, kPop3, kPop3s, kLmtp };
std::string_view Name(ListenerKind kind);
const Endpoints& EndpointsOf(const Config& config, ListenerKind kind);
constexpr bool IsPop3(ListenerKind kind) { return kind == ListenerKind::kPop3 || kind == ListenerKind::kPop3s; }
constexpr bool IsImplicitTls(ListenerKind kind) { return kind == ListenerKind::kSubmissions || kind == ListenerKind::kPop3s; }
inline constexpr ListenerKind kListenerKinds[] = {ListenerKind::kSmtp, ListenerKind::kSubmission, ListenerKind::kSubmissions,
                                                  ListenerKind::kPop3, ListenerKind::kPop3s,      ListenerKind::kLmtp};

// What changes while the server runs, and is the same for all of its listeners.
struct Current {
  std::shared_ptr<const net::TlsContext> tls;
  LoginOffers offers;
  std::string default_domain;    // of <Postmaster> and of user names without a domain
  std::string made_up_salt_key;  // sasl::ServerOptions
};

// `loopback`: the listener is bound to a loopback address, where --classroom permits passwords in the clear. Clock and store
// outlive it.
std::shared_ptr<const SmtpService> MakeSmtpService(const Config& config, ListenerKind kind, bool loopback, const Current& current,
                                                   const Clock& clock, const store::Store& store);
std::shared_ptr<const Pop3Settings> MakePop3Settings(const Config& config, bool loopback, const Current& current);
AuthenticatorOptions MakeAuthenticatorOptions(const Config& config, const std::string& default_domain);
VerifierOptions MakeVerifierOptions(const Config& config);
PasswordOptions MakePasswordOptions(const Config& config);
net::AdmissionLimits MakeAdmissionLimits(const Config& config);

}  // namespace glasspost::server
