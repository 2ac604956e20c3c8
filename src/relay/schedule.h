// When a message that could not be handed over is tried again, and when that ends (RFC 5321 §4.5.4.1). Pure: time and randomness
// are passed in.
#pragma once

#include <cstdint>

#include "base/origin.h"

namespace glasspost::relay {

inline constexpr std::int64_t kSecond = 1'000'000'000;

struct RetryOptions {
  std::int64_t first = 300 * kSecond;      // after the first attempt
  double growth = 2;                       // each further delay is so many times the one before
  std::int64_t most = 4 * 3600 * kSecond;  // and never longer than this
  double jitter = 0.2;                     // a delay is so much shorter or longer: not all come back at once
  std::int64_t give_up = 5 * 86'400 * kSecond;
  std::int64_t delay_notice = 4 * 3600 * kSecond;  // 0: none is sent
};

// After an attempt that failed for now.
struct Retry {
  bool give_up = false;     // it has waited long enough: it fails
  bool tell_delay = false;  // the sender is to be told, if he wants to know
  Timestamp due = 0;
};

// `attempts`: made, this one included. `delay_told`: when the sender was told; 0 never. The last attempt lies at the very end of
// the time that a message has.
Retry AfterAttempt(const RetryOptions& options, Timestamp arrived, int attempts, Timestamp now, Timestamp delay_told,
                   std::uint64_t random);

// The delay before attempt `attempts` + 1.
std::int64_t DelayAfter(const RetryOptions& options, int attempts, std::uint64_t random);

}  // namespace glasspost::relay
