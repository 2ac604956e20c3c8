// Verifiers one at a time: made, told apart, checked.
#include <crypt.h>
#include <fmt/format.h>
#include <sodium.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/ascii.h"
#include "base/base64.h"
#include "base/hmac.h"
#include "server/passwords.h"
#include "wire/sasl/verifier.h"

namespace glasspost::server {
namespace {

constexpr std::size_t kHashOctets = 32;
constexpr std::size_t kScramSaltOctets = 16;
constexpr std::size_t kArgon2TextOctets = 127;  // libsodium's crypto_pwhash_STRBYTES, without the NUL

// The cheapest first.
enum class Scheme : std::uint8_t { kPlain, kSsha256, kScram, kSha512Crypt, kBlowfish, kArgon2id };
constexpr struct {
  std::string_view name;
  Scheme scheme;
} kSchemes[] = {
    {"PLAIN", Scheme::kPlain},         {"SSHA256", Scheme::kSsha256},
    {"SCRAM-SHA-256", Scheme::kScram}, {"SHA512-CRYPT", Scheme::kSha512Crypt},
    {"BLF-CRYPT", Scheme::kBlowfish},  {"ARGON2ID", Scheme::kArgon2id},
};

bool HaveSodium() {
  static const bool have = sodium_init() >= 0;
  return have;
}

// The number after `name` in "m=65536,t=3,p=1".
std::optional<std::uint64_t> Parameter(Octets text, Octets name) {
  const std::size_t at = text.find(name);
  if (at == Octets::npos) return {};
  text.remove_prefix(at + name.size());
  return ParseNumber(text.substr(0, text.find_first_not_of("0123456789")));
}

// "$argon2id$v=19$m=65536,t=3,p=1$salt$hash", of bounded cost.
bool IsArgon2id(Octets data) {
  static constexpr std::string_view kHead = "$argon2id$v=19$m=";
  if (!data.starts_with(kHead) || data.size() > kArgon2TextOctets) return false;
  const Octets costs = data.substr(0, data.find('$', kHead.size()));
  const auto memory = Parameter(costs, "$m=");
  const auto passes = Parameter(costs, ",t=");
  return memory && passes && *memory <= PasswordLimits::kArgon2Kib && *passes <= PasswordLimits::kArgon2Passes;
}

bool IsSha512Crypt(Octets data) {
  static constexpr std::string_view kRounds = "$6$rounds=";
  if (!data.starts_with("$6$")) return false;
  if (!data.starts_with(kRounds)) return true;
  const auto rounds = Parameter(data, kRounds);
  return rounds && *rounds <= PasswordLimits::kCryptRounds;
}

bool IsCryptText(Octets text) {
  return std::ranges::all_of(text, [](char c) { return IsAlpha(c) || IsDigit(c) || c == '.' || c == '/'; });
}

// base64 of a hash and the salt behind it
bool IsSsha256(Octets data) {
  const auto octets = DecodeBase64(data);
  return octets && octets->size() >= std::tuple_size_v<Digest256>;
}

// "$2y$05$…"
bool IsBlowfish(Octets data) {
  if (data.size() < 7 || !data.starts_with("$2") || data[3] != '$' || data[6] != '$') return false;
  const auto cost = ParseNumber(data.substr(4, 2));
  constexpr std::size_t kSaltAndHash = 22 + 31;
  if (data.size() != 7 + kSaltAndHash || !IsCryptText(data.substr(7))) return false;
  return (data[2] == 'a' || data[2] == 'b' || data[2] == 'y') && cost && *cost <= PasswordLimits::kBlowfishCost;
}

struct Known {
  Scheme scheme;
  Octets data;
};
// Nothing for schemes that are not known, and for damaged ones.
std::optional<Known> Recognise(Octets text) {
  const auto verifier = sasl::ParseVerifier(text);
  if (!verifier) return {};
  for (const auto& row : kSchemes) {
    if (!EqualsNoCase(row.name, verifier->scheme)) continue;
    const Octets data = verifier->data;
    const bool sound = row.scheme == Scheme::kArgon2id      ? IsArgon2id(data)
                       : row.scheme == Scheme::kSha512Crypt ? IsSha512Crypt(data)
                       : row.scheme == Scheme::kBlowfish    ? IsBlowfish(data)
                       : row.scheme == Scheme::kSsha256     ? IsSsha256(data)
                       : row.scheme == Scheme::kScram       ? sasl::ParseScramSha256(text).has_value()
                                                            : !data.empty();
    return sound ? std::optional(Known{row.scheme, data}) : std::nullopt;
  }
  return {};
}

bool CheckArgon2id(Octets data, Octets password) {
  if (!HaveSodium()) return false;
  return crypto_pwhash_str_verify(std::string(data).c_str(), password.data(), password.size()) == 0;
}

// base64 of SHA-256(password + salt) + salt
bool CheckSsha256(Octets data, Octets password) {
  const auto octets = DecodeBase64(data);
  if (!octets || octets->size() < std::tuple_size_v<Digest256>) return false;
  const Octets stored = Octets(*octets).substr(0, std::tuple_size_v<Digest256>);
  Sha256 hash;
  hash.Update(password);
  hash.Update(Octets(*octets).substr(stored.size()));
  return SameSecret(AsOctets(hash.Finish()), stored);
}

// crypt(3), by libxcrypt.
bool CheckCrypt(Octets data, Octets password) {
  if (password.find('\0') != Octets::npos) return false;  // what stands behind it would not count
  const auto memory = std::make_unique<crypt_data>();
  std::string phrase(password);
  const char* const hash = crypt_r(phrase.c_str(), std::string(data).c_str(), memory.get());
  Wipe(phrase);
  const bool right = hash != nullptr && hash[0] != '*' && SameSecret(hash, data);
  sodium_memzero(memory.get(), sizeof(crypt_data));
  return right;
}

bool CheckOctets(const Known& known, Octets password) {
  switch (known.scheme) {
    case Scheme::kArgon2id:
      return CheckArgon2id(known.data, password);
    case Scheme::kSsha256:
      return CheckSsha256(known.data, password);
    default:
      return CheckCrypt(known.data, password);
  }
}

std::string WithoutPadding(std::string base64) {
  base64.resize(base64.find_last_not_of('=') + 1);
  return base64;
}

Expected<std::string> MakeArgon2id(Octets password, const VerifierOptions& options, Randomness& randomness) {
  const std::string salt = randomness.Draw(crypto_pwhash_SALTBYTES);
  std::array<std::uint8_t, kHashOctets> hash{};
  if (!HaveSodium() || crypto_pwhash(hash.data(), hash.size(), password.data(), password.size(), AsBytes(salt).data(),
                                     options.argon2_passes, options.argon2_octets, crypto_pwhash_ALG_ARGON2ID13) != 0)
    return Fail("ARGON2ID cannot be computed", {}, fmt::format("it needs {} MiB of memory", options.argon2_octets >> 20));
  return fmt::format("{{ARGON2ID}}$argon2id$v=19$m={},t={},p=1${}${}", options.argon2_octets >> 10, options.argon2_passes,
                     WithoutPadding(EncodeBase64(salt)), WithoutPadding(EncodeBase64(AsOctets(hash))));
}

}  // namespace

Expected<std::vector<std::string>> MakeVerifiers(Octets password, const VerifierOptions& options, Randomness& randomness) {
  if (password.empty()) return Fail("the password is empty");
  if (password.size() > PasswordLimits::kPasswordOctets)
    return Fail(fmt::format("the password is longer than {} octets", PasswordLimits::kPasswordOctets));
  auto prepared = sasl::Prepare(password);
  if (!prepared || prepared->empty())
    return Fail("the password holds what may not be in one (RFC 4013)", {}, "use letters, digits, signs and spaces, in UTF-8");
  std::vector<std::string> verifiers;
  if (options.argon2id) {
    auto made = MakeArgon2id(*prepared, options, randomness);
    if (!made) return std::unexpected(std::move(made.error()));
    verifiers.push_back(std::move(*made));
  }
  if (options.scram)
    verifiers.push_back(sasl::MakeScramVerifier(*prepared, randomness.Draw(kScramSaltOctets), options.scram_iterations));
  if (options.plain) verifiers.push_back("{PLAIN}" + *prepared);
  Wipe(*prepared);
  return verifiers;
}

VerifierCost CostOf(Octets verifier) {
  const auto known = Recognise(verifier);
  if (!known) return VerifierCost::kNever;
  return known->scheme <= Scheme::kSsha256 ? VerifierCost::kCheap : VerifierCost::kSlow;
}

const std::string* CheapestOf(std::span<const std::string> verifiers) {
  const std::string* cheapest = nullptr;
  Scheme scheme{};
  for (const std::string& v : verifiers) {
    const auto known = Recognise(v);
    if (!known || (cheapest != nullptr && known->scheme >= scheme)) continue;
    cheapest = &v;
    scheme = known->scheme;
  }
  return cheapest;
}

std::string KindOf(Octets verifier) {
  const auto known = Recognise(verifier);
  if (!known) return {};
  const std::size_t scheme = verifier.size() - known->data.size();
  std::size_t cost = 0;
  if (known->scheme == Scheme::kScram) cost = known->data.find(',') + 1;
  if (known->scheme == Scheme::kBlowfish) cost = 7;
  if (known->scheme == Scheme::kSha512Crypt) cost = known->data.starts_with("$6$r") ? known->data.find('$', 3) + 1 : 3;
  if (known->scheme == Scheme::kArgon2id) cost = known->data.find('$', known->data.find("$m=") + 1) + 1;
  return std::string(verifier.substr(0, scheme + cost));
}

bool Verifies(Octets verifier, Octets password) {
  const auto known = Recognise(verifier);
  if (!known || password.empty() || password.size() > PasswordLimits::kPasswordOctets) return false;
  if (known->scheme == Scheme::kPlain || known->scheme == Scheme::kScram)
    return sasl::CheckPassword(verifier, password).value_or(false);
  // As it is made here, and as an import may have been made.
  auto prepared = sasl::Prepare(password);
  const bool right = prepared && CheckOctets(*known, *prepared);
  const bool same = prepared && *prepared == password;
  if (prepared) Wipe(*prepared);
  return right || (!same && CheckOctets(*known, password));
}

}  // namespace glasspost::server
