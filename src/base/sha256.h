// SHA-256 (FIPS 180-4) of octets as they pass, by OpenSSL.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/octets.h"

struct evp_md_ctx_st;

namespace glasspost {

using Digest256 = std::array<std::uint8_t, 32>;

class Sha256 {
 public:
  Sha256() = default;  // costs nothing until the first octet
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;
  void Update(Octets octets);
  // The digest of all octets so far; the object begins anew.
  Digest256 Finish();

 private:
  void Begin();

  evp_md_ctx_st* context_ = nullptr;
};

// Of octets that are all there.
Digest256 HashSha256(Octets octets);

std::string Hex(Bytes octets);  // lower case, no separators

}  // namespace glasspost
