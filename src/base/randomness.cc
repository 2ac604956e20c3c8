#include "base/randomness.h"

#include <openssl/rand.h>

#include <cstdlib>

namespace glasspost {
namespace {

class OpenSslRandomness : public Randomness {
 public:
  void Fill(std::span<std::uint8_t> octets) override {
    // Without randomness there are no secrets: nothing sensible can go on.
    if (RAND_bytes(octets.data(), static_cast<int>(octets.size())) != 1) std::abort();
  }
};

}  // namespace

Randomness& SystemRandomness() {
  static OpenSslRandomness randomness;
  return randomness;
}

}  // namespace glasspost
