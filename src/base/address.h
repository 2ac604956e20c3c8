// An IPv4 or IPv6 address; IPv4 is held as IPv4-mapped IPv6 (RFC 4291 §2.5.5.2), so that one comparison serves both.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>

#include "base/octets.h"

namespace glasspost {

struct Address {
  std::array<std::uint8_t, 16> octets{};

  static Address V4(const std::uint8_t* p) {
    static constexpr std::uint8_t kMapped[4] = {0, 0, 0xff, 0xff};
    Address a;
    std::memcpy(a.octets.data() + 8, kMapped, 4);  // whole words: this stands on the path of every packet
    std::memcpy(a.octets.data() + 12, p, 4);
    return a;
  }
  static Address V6(const std::uint8_t* p) {
    Address a;
    std::memcpy(a.octets.data(), p, 16);
    return a;
  }
  bool is_v4() const {
    static constexpr std::uint8_t kPrefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return std::memcmp(octets.data(), kPrefix, 12) == 0;
  }
  // "192.0.2.1" or RFC 5952's form of an IPv6 address.
  std::string Text() const;
  void AppendText(std::string& out) const;
  auto operator<=>(const Address&) const = default;
  bool operator==(const Address& other) const {  // whole words: this stands on the path of every packet
    const auto word = [](const Address& a, std::size_t at) { return LoadNative<std::uint64_t>(a.octets.data() + at); };
    return ((word(*this, 0) ^ word(other, 0)) | (word(*this, 8) ^ word(other, 8))) == 0;
  }
};

struct Endpoint {
  Address address;
  std::uint16_t port = 0;
  // "192.0.2.1:25", "[2001:db8::1]:25"
  std::string Text() const;
  void AppendText(std::string& out) const;
  auto operator<=>(const Endpoint&) const = default;
};

}  // namespace glasspost
