#include "base/hmac.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>

namespace glasspost {
namespace {

template <std::size_t kSize>
std::array<std::uint8_t, kSize> Hmac(const EVP_MD* hash, Octets key, Octets octets) {
  std::array<std::uint8_t, kSize> out{};
  unsigned size = 0;
  const Bytes bytes = AsBytes(octets);
  // An empty key needs a pointer all the same.
  const char* const key_octets = key.empty() ? "" : key.data();
  const auto* const done = HMAC(hash, key_octets, static_cast<int>(key.size()), bytes.data(), bytes.size(), out.data(), &size);
  if (done == nullptr || size != kSize) std::abort();
  return out;
}

}  // namespace

std::array<std::uint8_t, 16> HashMd5(Octets octets) {
  std::array<std::uint8_t, 16> out{};
  if (EVP_Digest(octets.data(), octets.size(), out.data(), nullptr, EVP_md5(), nullptr) != 1) std::abort();
  return out;
}

Digest256 HmacSha256(Octets key, Octets octets) { return Hmac<32>(EVP_sha256(), key, octets); }
std::array<std::uint8_t, 16> HmacMd5(Octets key, Octets octets) { return Hmac<16>(EVP_md5(), key, octets); }

Digest256 Pbkdf2Sha256(Octets password, Octets salt, unsigned iterations) {
  Digest256 out{};
  const char* const octets = password.empty() ? "" : password.data();
  if (PKCS5_PBKDF2_HMAC(octets, static_cast<int>(password.size()), AsBytes(salt).data(), static_cast<int>(salt.size()),
                        static_cast<int>(iterations), EVP_sha256(), static_cast<int>(out.size()), out.data()) != 1)
    std::abort();
  return out;
}

bool SameSecret(Octets a, Octets b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

void Wipe(std::string& secret) {
  OPENSSL_cleanse(secret.data(), secret.size());
  secret.clear();
}

}  // namespace glasspost
