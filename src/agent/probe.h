// What a mail server offers, and how fast it answers: connections that greet, ask, begin TLS and go. No mail is sent, nobody logs
// in. What was said is heard by the same observer that reads captures.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "agent/account.h"
#include "agent/login.h"
#include "base/error.h"
#include "net/tls_engine.h"
#include "wire/tls/certificate.h"

namespace glasspost::agent {

struct ProbeOptions {
  static constexpr std::size_t kExchangers = 20;         // hosts of a domain that are tried: stops an answer of hundreds
  static constexpr std::size_t kAddresses = 8;           // of a host
  static constexpr std::int64_t kSoon = 14 * 24 * 3600;  // seconds; a certificate that ends within them is remarked upon
  std::string host = "localhost";                        // EHLO
  std::string authorities;                               // PEM file instead of the system's
  bool versions = true;                                  // a connection more for each version of TLS
  TrialLimits limits;
};

struct Exchanger {
  std::string host;
  std::optional<std::uint16_t> preference;  // nothing: the domain has no MX, and is the host itself
};
// The hosts that take a domain's mail, best first; a host or an address is its own. The error says why there are none (null MX,
// no such name, no answer).
net::Task<Expected<std::vector<Exchanger>>> FindExchangers(const Network& network, std::string domain);

struct ProbedStep {
  std::string what;       // "connect", "greeting", "EHLO", "STARTTLS", "TLS", "CAPA", "CAPABILITY", "QUIT", "LOGOUT"
  std::int64_t time = 0;  // nanoseconds until it was answered
};

// What EHLO, CAPA or CAPABILITY named.
struct Offer {
  bool asked = false;
  std::vector<std::string> extensions;  // "SIZE 10240000", without AUTH, AUTH= or SASL
  std::vector<std::string> mechanisms;
};

struct ProbedCertificate {
  tls::CertificateInfo info;
  tls::CertificateStrength strength;
  bool for_host = false;
  bool trusted = false;
  std::string why_not;  // where it is not trusted
};

// What a server showed: `certificate` is DER; `info`: what the handshake made of it, null: it came to none. Nothing where it is
// no certificate.
std::optional<ProbedCertificate> ReadCertificate(Octets certificate, const net::TlsInfo* info, const std::string& host);

struct ProbedVersion {
  enum class Answer : std::uint8_t { kTaken, kRefused, kUnknown };  // kUnknown: no connection, or no TLS at all
  std::string name;                                                 // "TLSv1.3"
  Answer answer = Answer::kUnknown;
};

struct ProbedServer {
  Service service = Service::kSmtp;
  ServerAddress server;
  std::optional<std::uint16_t> preference;
  Endpoint endpoint;
  bool reached = false;
  std::string trouble;   // why it went no further; empty: it ended in order
  std::string greeting;  // as the server said it
  std::vector<ProbedStep> steps;
  Offer clear;    // before TLS; not asked where TLS comes first
  Offer secured;  // within TLS
  bool tls_offered = false;
  bool handshake_failed = false;
  std::string tls;     // "TLSv1.3"; empty: none was begun
  std::string cipher;  // "TLS_AES_256_GCM_SHA384"
  std::optional<ProbedCertificate> certificate;
  std::vector<ProbedVersion> versions;
};

// `server.tls`: kStartTls: if it is offered.
net::Task<ProbedServer> Probe(const Network& network, Service service, ServerAddress server, Endpoint endpoint,
                              const ProbeOptions& options);

enum class ProbeFault : std::uint8_t {
  kUnreachable,
  kBrokeOff,  // `trouble`
  kNoTls,
  kHandshakeFailed,
  kExpired,
  kNotYetValid,
  kExpiresSoon,
  kWrongName,
  kSelfSigned,
  kUntrusted,
  kWeakKey,         // fewer than 112 bits of security (NIST SP 800-57)
  kWeakSignature,   // likewise
  kOldTls,          // TLS 1.0 or 1.1 is taken (RFC 8996)
  kOnlyOldTls,      // and nothing newer
  kClearPasswords,  // PLAIN or LOGIN, or USER, or IMAP's LOGIN, before TLS
};
inline constexpr int kProbeFaultCount = 15;
std::string_view Name(ProbeFault fault);  // "wrong-name"
std::vector<ProbeFault> FaultsOf(const ProbedCertificate& certificate, Timestamp now);
std::vector<ProbeFault> FaultsOf(const ProbedServer& server, Timestamp now);

}  // namespace glasspost::agent
