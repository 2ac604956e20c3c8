// Where octets came from: which side sent them, in which packet, when.
#pragma once

#include <cstdint>
#include <limits>

namespace glasspost {

// Nanoseconds since 1970-01-01T00:00:00Z, as the capture (or the clock that was passed in) says.
using Timestamp = std::int64_t;
inline constexpr Timestamp kNoTime = std::numeric_limits<Timestamp>::min();

enum class Direction : std::uint8_t { kToServer = 0, kToClient = 1 };
constexpr Direction Opposite(Direction d) { return d == Direction::kToServer ? Direction::kToClient : Direction::kToServer; }
constexpr int Index(Direction d) { return static_cast<int>(d); }

// `frame` counts from 1 over all files in the order given; 0 where there is no packet (a live tap).
struct Origin {
  std::uint64_t frame = 0;
  Timestamp time = kNoTime;
};

}  // namespace glasspost
