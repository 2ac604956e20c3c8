// Journeys in mail.db.
#pragma once

#include "store/journey.h"
#include "store/sqlite/engine.h"

namespace glasspost::store {

class SqliteJourneys final : public Journeys {
 public:
  explicit SqliteJourneys(Engine& engine) : engine_(engine) {}
  void Append(std::vector<JourneyEvent> events, Done<void> done) override;
  void Find(JourneyQuery query, Done<std::vector<JourneyEvent>> done) override;
  void Forget(Timestamp before, Done<void> done) override;

 private:
  Engine& engine_;
};

}  // namespace glasspost::store
