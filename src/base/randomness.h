// Randomness as it is passed in: nothing below src/net and src/server takes it from anywhere else, so that a test can say what
// it is.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace glasspost {

class Randomness {
 public:
  virtual ~Randomness() = default;
  virtual void Fill(std::span<std::uint8_t> octets) = 0;

  std::string Draw(std::size_t count) {
    std::string out(count, '\0');
    Fill({reinterpret_cast<std::uint8_t*>(out.data()), out.size()});
    return out;
  }
};

// The operating system's, fit for keys and nonces; may be used from any thread.
Randomness& SystemRandomness();

}  // namespace glasspost
