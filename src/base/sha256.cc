#include "base/sha256.h"

#include <openssl/evp.h>

#include <cstdlib>
#include <utility>

namespace glasspost {
namespace {

// Fetched once: EVP_sha256() alone would look the implementation up again for every message.
const EVP_MD* Algorithm() {
  static EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return algorithm;
}

}  // namespace

Sha256::~Sha256() { EVP_MD_CTX_free(context_); }
Sha256::Sha256(Sha256&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}
Sha256& Sha256::operator=(Sha256&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

void Sha256::Begin() {
  context_ = EVP_MD_CTX_new();
  EVP_DigestInit_ex2(context_, Algorithm(), nullptr);
}

void Sha256::Update(Octets octets) {
  if (context_ == nullptr) Begin();
  EVP_DigestUpdate(context_, octets.data(), octets.size());
}

Digest256 Sha256::Finish() {
  if (context_ == nullptr) Begin();
  Digest256 digest{};
  EVP_DigestFinal_ex(context_, digest.data(), nullptr);
  EVP_DigestInit_ex2(context_, Algorithm(), nullptr);
  return digest;
}

Digest256 HashSha256(Octets octets) {
  Digest256 digest{};
  if (EVP_Digest(octets.data(), octets.size(), digest.data(), nullptr, Algorithm(), nullptr) != 1) std::abort();
  return digest;
}

std::string Hex(Bytes octets) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out(octets.size() * 2, '\0');
  char* at = out.data();
  for (const std::uint8_t o : octets) {
    *at++ = kDigits[o >> 4];
    *at++ = kDigits[o & 15];
  }
  return out;
}

}  // namespace glasspost
