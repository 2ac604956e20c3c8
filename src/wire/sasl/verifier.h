// What is stored of a password: verifiers in Dovecot's notation, "{SCHEME}data". Those that are checked here need no slow hash
// ({PLAIN}) or are what SCRAM needs ({SCRAM-SHA-256}, RFC 5803 in Dovecot's form: iterations,salt,StoredKey,ServerKey); the
// others ({ARGON2ID}, {SSHA256} …) are the account store's.
#pragma once

#include <optional>
#include <string>

#include "base/hmac.h"
#include "base/octets.h"

namespace glasspost::sasl {

struct VerifierLimits {
  // Stops a stored (or a server's) iteration count from keeping a processor for minutes; the least that RFC 7677 §4 asks for.
  static constexpr unsigned kMostIterations = 1'000'000;
  static constexpr unsigned kLeastIterations = 4096;
  static constexpr std::size_t kMostSaltOctets = 255;
};

struct Verifier {
  Octets scheme;  // without braces, as it was written
  Octets data;
};
// Nothing where there is no scheme.
std::optional<Verifier> ParseVerifier(Octets text);

struct ScramKeys {
  unsigned iterations = 0;
  std::string salt;
  Digest256 stored_key{};
  Digest256 server_key{};
};
// Of a whole verifier with its scheme; nothing if it is of another scheme, or damaged.
std::optional<ScramKeys> ParseScramSha256(Octets verifier);
// The keys of a password (RFC 5802 §3): slow, by intent.
ScramKeys DeriveScramKeys(Octets password, Octets salt, unsigned iterations);
// "{SCRAM-SHA-256}4096,…"
std::string MakeScramVerifier(Octets password, Octets salt, unsigned iterations = VerifierLimits::kLeastIterations);

// Is `password` the verifier's? Nothing for schemes that are not checked here. {SCRAM-SHA-256} costs its iterations.
std::optional<bool> CheckPassword(Octets verifier, Octets password);

// RFC 4013 (SASLprep) of a user name or password as it is looked up or hashed; nothing if it holds what may not be in one, or
// is no UTF-8.
std::optional<std::string> Prepare(Octets text);

}  // namespace glasspost::sasl
