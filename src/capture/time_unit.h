// The unit of a pcapng interface's timestamps (if_tsresol, if_tsoffset), and the way from it to nanoseconds. Checked: a time that
// does not fit (before 1970 or after 2262) is no time, so that the difference of any two fits as well.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "base/origin.h"

namespace glasspost::capture {

class TimeUnit {
 public:
  // As `if_tsresol` says: 10^-n, or 2^-n if the highest bit is set. Microseconds where nothing is said.
  explicit constexpr TimeUnit(std::uint8_t resolution = 6, std::int64_t offset_seconds = 0) : offset_(offset_seconds) {
    if ((resolution & 0x80) != 0) {
      kind_ = Kind::kBinary;
      shift_ = resolution & 0x7f;
      return;
    }
    kind_ = resolution <= 9 ? Kind::kMultiply : Kind::kDivide;
    const int digits = resolution <= 9 ? 9 - resolution : resolution - 9;
    if (digits > 19) {
      factor_ = 0;  // finer than 64 bits can count to one nanosecond
      return;
    }
    for (int i = 0; i < digits; ++i) factor_ *= 10;
  }

  constexpr std::optional<Timestamp> ToNanoseconds(std::uint64_t units) const {
    std::uint64_t whole = 0;
    if (kind_ == Kind::kMultiply) {
      if (__builtin_mul_overflow(units, factor_, &whole)) return {};
    } else if (kind_ == Kind::kDivide) {
      whole = factor_ == 0 ? 0 : units / factor_;
    } else {
      const Wide wide = (static_cast<Wide>(units) * kSecond) >> shift_;
      if (wide > std::numeric_limits<std::uint64_t>::max()) return {};
      whole = static_cast<std::uint64_t>(wide);
    }
    std::int64_t offset = 0;
    Timestamp time = 0;
    if (offset_ != 0 && __builtin_mul_overflow(offset_, std::int64_t{kSecond}, &offset)) return {};
    if (__builtin_add_overflow(whole, offset, &time) || time < 0) return {};
    return time;
  }

 private:
  enum class Kind : std::uint8_t { kMultiply, kDivide, kBinary };
  __extension__ using Wide = unsigned __int128;
  static constexpr std::int64_t kSecond = 1'000'000'000;

  std::uint64_t factor_ = 1;
  std::int64_t offset_ = 0;
  Kind kind_ = Kind::kMultiply;
  std::uint8_t shift_ = 0;
};

}  // namespace glasspost::capture
