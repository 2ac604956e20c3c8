#include "capture/craft/place.h"

#include <algorithm>

namespace glasspost::capture {
namespace {

constexpr std::size_t kMostOctets = 8;

std::uint64_t Mask(const Place& place) {
  const std::size_t n = std::min(place.range.length, kMostOctets);
  const std::uint64_t all = n == kMostOctets ? ~std::uint64_t{0} : (std::uint64_t{1} << (8 * n)) - 1;
  return place.number.mask & all >> place.number.shift;
}

std::uint64_t Load(Octets octets) {
  std::uint64_t v = 0;
  for (const char c : octets) v = v << 8 | static_cast<std::uint8_t>(c);
  return v;
}

}  // namespace

std::uint64_t LoadNumber(Octets octets, const Place& place) {
  return (Load(octets.substr(0, place.range.length)) >> place.number.shift & Mask(place)) * place.number.unit;
}

std::uint64_t LargestNumber(const Place& place) { return Mask(place) * place.number.unit; }

void StoreNumber(char* octets, const Place& place, std::uint64_t value) {
  const std::uint64_t mask = Mask(place) << place.number.shift;
  const std::size_t n = std::min(place.range.length, kMostOctets);
  std::uint64_t all = Load(Octets(octets, n));
  all = (all & ~mask) | (value / place.number.unit << place.number.shift & mask);
  for (std::size_t i = n; i-- > 0; all >>= 8) octets[i] = static_cast<char>(all);
}

}  // namespace glasspost::capture
