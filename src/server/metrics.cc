#include "server/metrics.h"

#include <fmt/format.h>

namespace glasspost::server {

void Metrics::Add(std::string name, std::string help, bool counter, std::function<double()> value) {
  const std::lock_guard lock(mutex_);
  gauges_.push_back({std::move(name), std::move(help), counter, std::move(value)});
}

std::string Metrics::Text() const {
  std::string out =
      "# HELP glasspost_events_total What happened, by the names of the log.\n# TYPE glasspost_events_total counter\n";
  for (std::size_t i = 0; i < kEventCount; ++i)
    out += fmt::format("glasspost_events_total{{event=\"{}\"}} {}\n", Name(static_cast<Event>(i)), count(static_cast<Event>(i)));
  const std::lock_guard lock(mutex_);
  for (const Gauge& g : gauges_) {
    out += fmt::format("# HELP glasspost_{0} {1}\n# TYPE glasspost_{0} {2}\nglasspost_{0} {3}\n", g.name, g.help,
                       g.counter ? "counter" : "gauge", g.value());
  }
  return out;
}

}  // namespace glasspost::server
