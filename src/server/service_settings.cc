#include "server/service_settings.h"

#include <algorithm>

#include "base/ascii.h"
#include "server/policies.h"
#include "server/room_policy.h"

namespace glasspost::server {
namespace {

bool MayLogIn(ListenerKind kind) { return kind == ListenerKind::kSubmission || kind == ListenerKind::kSubmissions; }

Policies MakePolicies(const Config& config, ListenerKind kind, const Clock& clock, const store::Store& store) {
  Policies policies;
  policies.push_back(std::make_unique<RoomPolicy>([&store] { return store.state(); }, clock));
  if (!config.access.rule.empty()) policies.push_back(std::make_unique<AccessPolicy>(config.access.rule));
  if (config.limits.messages_per_hour != 0)
    policies.push_back(std::make_unique<RatePolicy>(config.limits.messages_per_hour, clock));
  if (config.greylist.on && kind == ListenerKind::kSmtp)
    policies.push_back(std::make_unique<GreylistPolicy>(config.greylist, clock));
  return policies;
}

bool InTheClear(const Config& config, bool loopback) {
  return config.auth.plaintext_without_tls || (config.server.classroom && loopback);
}

smtp::ServerLimits LimitsOf(const Config& config) {
  smtp::ServerLimits limits;
  limits.recipients = std::max<std::size_t>(config.limits.recipients, smtp::ServerLimits::kFewestRecipients);
  limits.message_octets = config.limits.message.octets;
  limits.errors = static_cast<unsigned>(config.limits.errors);
  limits.refused_recipients = static_cast<unsigned>(config.limits.refused_recipients);
  limits.failed_logins = static_cast<unsigned>(config.limits.failed_logins);
  return limits;
}

sasl::ServerOptions SaslOf(const Config& config, const Current& current) {
  sasl::ServerOptions sasl;
  sasl.host = OwnHostName(config);
  sasl.made_up_salt_key = current.made_up_salt_key;
  sasl.scram_iterations = static_cast<unsigned>(config.auth.scram_iterations);
  return sasl;
}

}  // namespace

std::string_view Name(ListenerKind kind) {
  static constexpr std::string_view kNames[] = {"smtp", "submission", "submissions", "pop3", "pop3s", "lmtp"};
  return kNames[static_cast<int>(kind)];
}

const Endpoints& EndpointsOf(const Config& config, ListenerKind kind) {
  switch (kind) {
    case ListenerKind::kSmtp:
      return config.listen.smtp;
    case ListenerKind::kSubmission:
      return config.listen.submission;
    case ListenerKind::kSubmissions:
      return config.listen.submissions;
    case ListenerKind::kPop3:
      return config.listen.pop3;
    case ListenerKind::kPop3s:
      return config.listen.pop3s;
    case ListenerKind::kLmtp:
      break;
  }
  return config.listen.lmtp;
}

std::shared_ptr<const SmtpService> MakeSmtpService(const Config& config, ListenerKind kind, bool loopback, const Current& current,
                                                   const Clock& clock, const store::Store& store) {
  auto service = std::make_shared<SmtpService>();
  smtp::ServerOptions& session = service->session;
  session.host = OwnHostName(config);
  session.role = MayLogIn(kind) ? smtp::Role::kSubmission : kind == ListenerKind::kLmtp ? smtp::Role::kLmtp : smtp::Role::kMx;
  session.extensions.smtputf8 = config.smtp.smtputf8;
  session.extensions.chunking = config.smtp.chunking;
  session.extensions.dsn = config.smtp.dsn;
  session.extensions.starttls = current.tls != nullptr;
  if (MayLogIn(kind)) session.mechanisms = current.offers.mechanisms;
  session.passwords_without_tls = InTheClear(config, loopback);
  session.require_auth = MayLogIn(kind);
  session.require_tls = MayLogIn(kind) ? config.submission.require_tls : kind == ListenerKind::kSmtp && config.smtp.require_tls;
  session.bare_line_ends =
      config.smtp.bare_line_ends == BareLineEndRule::kNormalise ? smtp::BareLineEnds::kNormalise : smtp::BareLineEnds::kRefuse;
  session.sasl = SaslOf(config, current);
  session.limits = LimitsOf(config);
  service->implicit_tls = IsImplicitTls(kind);
  service->tls = current.tls;
  service->default_domain = current.default_domain;
  service->may_relay = [networks = config.smtp.relay_networks](const Address& address) {
    return std::ranges::any_of(networks, [&](const Network& n) { return n.Contains(address); });
  };
  service->received_limit = config.smtp.received;
  service->quota_permanent = config.mailboxes.over_quota == OverQuota::kPermanent;
  service->check_sender = config.submission.check_sender;
  service->policies = MakePolicies(config, kind, clock, store);
  service->times.command = config.timeouts.command;
  service->times.session = config.timeouts.session;
  service->times.data = config.timeouts.data;
  service->times.handshake = config.timeouts.tls;
  return service;
}

std::shared_ptr<const Pop3Settings> MakePop3Settings(const Config& config, bool loopback, const Current& current) {
  auto settings = std::make_shared<Pop3Settings>();
  pop3::ServerOptions& protocol = settings->protocol;
  protocol.plaintext_without_tls = InTheClear(config, loopback);
  protocol.stls = current.tls != nullptr;
  protocol.user_pass = current.offers.user_pass;
  protocol.apop = current.offers.apop;
  protocol.mechanisms = current.offers.mechanisms;
  protocol.sasl = SaslOf(config, current);
  protocol.host = OwnHostName(config);
  protocol.limits.failed_logins = static_cast<unsigned>(config.limits.failed_logins);
  settings->autologout = config.timeouts.pop3;
  settings->handshake = config.timeouts.tls;
  return settings;
}

AuthenticatorOptions MakeAuthenticatorOptions(const Config& config, const std::string& default_domain) {
  AuthenticatorOptions options;
  options.default_domain = default_domain;
  options.cram_md5 = config.auth.cram_md5;
  options.apop = config.auth.apop;
  options.limits.failures = static_cast<unsigned>(config.limits.failed_logins_per_hour);
  options.limits.window = std::chrono::hours(1);
  return options;
}

VerifierOptions MakeVerifierOptions(const Config& config) {
  const auto made = [&](std::string_view scheme) {
    return std::ranges::any_of(config.auth.schemes, [&](const std::string& s) { return EqualsNoCase(s, scheme); });
  };
  VerifierOptions options;
  options.argon2id = made("ARGON2ID");
  options.scram = made("SCRAM-SHA-256");
  options.plain = config.auth.apop || config.auth.cram_md5;
  options.argon2_octets = config.auth.argon2_memory.octets;
  options.argon2_passes = config.auth.argon2_passes;
  options.scram_iterations = static_cast<unsigned>(config.auth.scram_iterations);
  return options;
}

PasswordOptions MakePasswordOptions(const Config& config) {
  PasswordOptions options;
  options.threads = static_cast<unsigned>(config.auth.threads);
  options.queue = config.auth.queue;
  options.cache = config.auth.cache;
  options.cache_entries = config.auth.cache_entries;
  options.verifiers = MakeVerifierOptions(config);
  return options;
}

net::AdmissionLimits MakeAdmissionLimits(const Config& config) {
  return {.all = config.limits.connections, .per_address = config.limits.connections_per_address};
}

}  // namespace glasspost::server
