// Keyed hashes and key derivation by OpenSSL: HMAC (RFC 2104), PBKDF2 (RFC 8018 §5.2), and what handling secrets needs.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/octets.h"
#include "base/sha256.h"

namespace glasspost {

// MD5 (RFC 1321) only where a protocol has nothing else: APOP, CRAM-MD5.
std::array<std::uint8_t, 16> HashMd5(Octets octets);
Digest256 HmacSha256(Octets key, Octets octets);
std::array<std::uint8_t, 16> HmacMd5(Octets key, Octets octets);
// One block of PBKDF2 with HMAC-SHA-256: SCRAM's Hi() (RFC 5802 §2.2). Costs two hashes an iteration.
Digest256 Pbkdf2Sha256(Octets password, Octets salt, unsigned iterations);

// Takes the same time wherever they differ; lengths are no secret.
bool SameSecret(Octets a, Octets b);
// Overwrites a secret before its memory is given back; the text is empty afterwards.
void Wipe(std::string& secret);

}  // namespace glasspost
