#include "relay/schedule.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace glasspost::relay {

std::int64_t DelayAfter(const RetryOptions& options, int attempts, std::uint64_t random) {
  const double most = static_cast<double>(std::max(options.most, options.first));
  const double grown = static_cast<double>(options.first) * std::pow(std::max(options.growth, 1.0), std::max(attempts - 1, 0));
  const double at_random = static_cast<double>(random) / static_cast<double>(std::numeric_limits<std::uint64_t>::max());
  const double factor = 1 + std::clamp(options.jitter, 0.0, 1.0) * (2 * at_random - 1);
  return std::max<std::int64_t>(static_cast<std::int64_t>(std::min(grown, most) * factor), kSecond);
}

Retry AfterAttempt(const RetryOptions& options, Timestamp arrived, int attempts, Timestamp now, Timestamp delay_told,
                   std::uint64_t random) {
  const Timestamp end = arrived + options.give_up;
  if (now >= end) return {.give_up = true, .tell_delay = false, .due = now};
  const bool late = options.delay_notice > 0 && now - arrived >= options.delay_notice;
  return {
      .give_up = false, .tell_delay = late && delay_told == 0, .due = std::min(now + DelayAfter(options, attempts, random), end)};
}

}  // namespace glasspost::relay
