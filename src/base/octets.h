// Octets and byte spans, and loads from them. No ownership anywhere: a view lives as long as what it points into.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace glasspost {

// Text protocols speak in `Octets` (any octet may occur, also NUL), packet decoders in `Bytes`.
using Octets = std::string_view;
using Bytes = std::span<const std::uint8_t>;

inline Bytes AsBytes(Octets o) { return {reinterpret_cast<const std::uint8_t*>(o.data()), o.size()}; }
inline Octets AsOctets(Bytes b) { return {reinterpret_cast<const char*>(b.data()), b.size()}; }

// Unaligned loads. The caller has checked that the octets are there.
template <class T>
T LoadNative(const std::uint8_t* p) {
  T v;
  std::memcpy(&v, p, sizeof v);
  return v;
}
constexpr std::uint16_t SwapOctets(std::uint16_t v) { return __builtin_bswap16(v); }
constexpr std::uint32_t SwapOctets(std::uint32_t v) { return __builtin_bswap32(v); }
constexpr std::uint64_t SwapOctets(std::uint64_t v) { return __builtin_bswap64(v); }
template <class T>
T LoadBig(const std::uint8_t* p) {
  const T v = LoadNative<T>(p);
  return std::endian::native == std::endian::little ? SwapOctets(v) : v;
}
template <class T>
T LoadLittle(const std::uint8_t* p) {
  const T v = LoadNative<T>(p);
  return std::endian::native == std::endian::little ? v : SwapOctets(v);
}
inline std::uint16_t Load16(const std::uint8_t* p) { return LoadBig<std::uint16_t>(p); }
inline std::uint32_t Load32(const std::uint8_t* p) { return LoadBig<std::uint32_t>(p); }

// A range of octets within a frame, a stream or a message; which of them, the context says.
struct OctetRange {
  std::size_t offset = 0;
  std::size_t length = 0;
  bool operator==(const OctetRange&) const = default;
};

}  // namespace glasspost
