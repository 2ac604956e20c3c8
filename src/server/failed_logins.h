// How many logins failed from an address lately: slides, and forgets. Of IPv6 a /64 counts as one. Thread-safe.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>

#include "base/address.h"
#include "base/clock.h"

namespace glasspost::server {

struct FailedLoginLimits {
  unsigned failures = 10;            // at once; stops guessing
  std::chrono::seconds window{600};  // in which so many more are granted, one after the other; 0: no limit at all
  std::size_t addresses = 10'000;    // remembered; beyond, those that failed longest ago are forgotten
};

class FailedLogins {
 public:
  // `clock` outlives it.
  FailedLogins(const Clock& clock, const FailedLoginLimits& limits) : clock_(clock), limits_(limits) {}
  bool Blocked(const Address& address);
  void Failed(const Address& address);
  std::size_t addresses() const;
  // From now on; what failed before keeps its time. Any thread.
  void SetLimits(const FailedLoginLimits& limits);

 private:
  using Key = std::array<std::uint8_t, 16>;
  struct Entry {
    Key key;
    std::int64_t debt_until = 0;  // when all failures will be forgotten; each adds its share of the window
  };
  std::int64_t share() const { return std::chrono::nanoseconds(limits_.window).count() / limits_.failures; }
  bool off() const { return limits_.window.count() == 0 || limits_.failures == 0; }

  const Clock& clock_;
  mutable std::mutex mutex_;
  FailedLoginLimits limits_;
  std::list<Entry> entries_;  // the latest failure last
  std::map<Key, std::list<Entry>::iterator> by_key_;
};

}  // namespace glasspost::server
