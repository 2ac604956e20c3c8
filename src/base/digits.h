// Decimal numbers into a buffer, without a division for each digit: frame numbers and times are half of what a report writes.
#pragma once

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>

namespace glasspost {

// The eight digits of a value below 10^8, leading zeros too, one an octet (0 to 9), the first in the lowest octet.
constexpr std::uint64_t EightDigits(std::uint32_t value) {
  // Halves, quarters, digits: in lanes of 32, 16 and 8 bits.
  std::uint64_t lanes = value / 10000 | std::uint64_t{value % 10000} << 32;
  std::uint64_t high = lanes * 10486 >> 20 & 0x0000007f0000007f;  // each lane over 100
  lanes = high | (lanes - high * 100) << 16;
  high = lanes * 103 >> 10 & 0x000f000f000f000f;  // and over 10
  return high | (lanes - high * 10) << 8;
}

inline constexpr std::size_t kMostDigits = 20;  // of 2^64 - 1
constexpr std::uint64_t kAsciiZeros = 0x3030303030303030;

inline void PutOctets(char* at, std::uint64_t lowest_first) {
  if constexpr (std::endian::native == std::endian::big) lowest_first = __builtin_bswap64(lowest_first);
  std::memcpy(at, &lowest_first, sizeof lowest_first);
}

// Writes the value and gives where it ends; up to kMostDigits octets from `at` on may be overwritten.
inline char* PutNumber(char* at, std::uint64_t value) {
  if (value >= 100'000'000) [[unlikely]]
    return std::to_chars(at, at + kMostDigits, value).ptr;
  const std::uint64_t digits = EightDigits(static_cast<std::uint32_t>(value));
  const int zeros = std::countr_zero(digits | std::uint64_t{1} << 56) / 8;  // 0 is written as one of them
  PutOctets(at, (digits | kAsciiZeros) >> (zeros * 8));
  return at + 8 - zeros;
}

// Writes the nine digits of a value below 10^9.
inline char* PutNineDigits(char* at, std::uint32_t value) {
  *at = static_cast<char>('0' + value / 100'000'000);
  PutOctets(at + 1, EightDigits(value % 100'000'000) | kAsciiZeros);
  return at + 9;
}

}  // namespace glasspost
