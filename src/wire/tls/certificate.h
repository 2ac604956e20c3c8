// What a person asks of an X.509 certificate (RFC 5280): whose, by whom, for which names, from when to when. OpenSSL parses it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/octets.h"

namespace glasspost::tls {

struct CertificateInfo {
  std::string subject;             // distinguished name as RFC 4514 writes it: "CN=mail.example.org,O=Example"
  std::string common_name;         // subject's CN, empty if it has none
  std::string issuer;              // as subject
  std::vector<std::string> names;  // subjectAltName: DNS names, addresses in text form, mailboxes, URIs
  // Seconds since 1970-01-01T00:00:00Z (99991231235959Z, "no end", does not fit into nanoseconds).
  std::int64_t not_before = 0;
  std::int64_t not_after = 0;

  // Octets that it takes, itself included.
  std::size_t Held() const {
    std::size_t octets = sizeof *this + subject.size() + common_name.size() + issuer.size();
    for (const std::string& name : names) octets += sizeof name + name.size();
    return octets;
  }
};

// Stops a certificate for very many names from becoming a large structure.
inline constexpr std::size_t kMaxCertificateNames = 256;
// Stops long names from doing so.
inline constexpr std::size_t kMaxNameOctets = 1024;

// False: `der` is no certificate; `info` is then empty.
bool ParseCertificate(Bytes der, CertificateInfo& info);

// What it rests on.
struct CertificateStrength {
  std::string key;  // "RSA", "EC", "ED25519"
  int key_bits = 0;
  int security_bits = 0;     // of the key, as OpenSSL reckons: 112 for RSA of 2048 bits
  std::string signature;     // "sha256WithRSAEncryption"
  int signature_bits = 0;    // of its digest, likewise: 128 for SHA-256, 63 for SHA-1
  bool self_issued = false;  // issuer and subject are the same
};
bool ParseStrength(Bytes der, CertificateStrength& strength);

// Is it for this host (RFC 6125), a name or an address in text form?
bool IsCertificateFor(Bytes der, const std::string& host);

}  // namespace glasspost::tls
