// Events into the log and into the metrics.
#pragma once

#include "server/events.h"
#include "server/log.h"
#include "server/metrics.h"

namespace glasspost::server {

class EventLog final : public Events {
 public:
  // Both outlive it.
  EventLog(Log& log, Metrics& metrics) : log_(log), metrics_(metrics) {}
  void Note(Event event, std::uint64_t session, std::initializer_list<EventField> fields) override;

 private:
  Log& log_;
  Metrics& metrics_;
};

}  // namespace glasspost::server
