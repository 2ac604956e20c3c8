// Randomness that a test knows beforehand.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "base/randomness.h"

namespace glasspost::test {

// 0, 1, 2 … or from another octet on.
class CountingRandomness final : public Randomness {
 public:
  explicit CountingRandomness(std::uint8_t first = 0) : next_(first) {}
  void Fill(std::span<std::uint8_t> octets) override {
    for (auto& o : octets) o = next_++;
  }

 private:
  std::uint8_t next_;
};

// The same octets each time, over and over.
class FixedRandomness final : public Randomness {
 public:
  explicit FixedRandomness(std::string octets = "\x07") : octets_(std::move(octets)) {}
  void Fill(std::span<std::uint8_t> octets) override {
    for (std::size_t i = 0; i < octets.size(); ++i) octets[i] = static_cast<std::uint8_t>(octets_[i % octets_.size()]);
  }

 private:
  std::string octets_;
};

}  // namespace glasspost::test
