// Counts of events and what the process holds at the moment, in Prometheus' text format. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "server/events.h"

namespace glasspost::server {

class Metrics {
 public:
  void Count(Event event) { counts_[static_cast<std::size_t>(event)].fetch_add(1, std::memory_order_relaxed); }
  std::uint64_t count(Event event) const { return counts_[static_cast<std::size_t>(event)].load(std::memory_order_relaxed); }

  // A value that is asked for when it is told; `name` without "glasspost_". `counter`: it never falls.
  void Add(std::string name, std::string help, bool counter, std::function<double()> value);
  std::string Text() const;

 private:
  struct Gauge {
    std::string name;
    std::string help;
    bool counter;
    std::function<double()> value;
  };
  std::array<std::atomic<std::uint64_t>, kEventCount> counts_{};
  mutable std::mutex mutex_;
  std::vector<Gauge> gauges_;
};

}  // namespace glasspost::server
