// The queue in mail.db.
#pragma once

#include "store/queue.h"
#include "store/sqlite/engine.h"

namespace glasspost::store {

class SqliteQueue final : public Queue {
 public:
  explicit SqliteQueue(Engine& engine) : engine_(engine) {}

  void ClaimDue(Claim claim, Done<std::vector<Entry>> done) override;
  void Renew(std::vector<EntryId> entries, Lease lease, Done<void> done) override;
  void NextDue(std::vector<std::string> skip, Done<Timestamp> done) override;
  void Settle(std::string owner, std::vector<Outcome> outcomes, std::vector<JourneyEvent> events,
              Done<std::vector<bool>> done) override;
  void List(QueueSelection selection, Done<std::vector<Entry>> done) override;
  void Count(Done<QueueCounts> done) override;
  void Act(QueueAction action, QueueSelection selection, Timestamp now, Done<std::uint64_t> done) override;
  void ActOn(QueueAction action, std::vector<EntryId> entries, Timestamp now, std::vector<JourneyEvent> events,
             Done<std::uint64_t> done) override;

 private:
  Engine& engine_;
};

}  // namespace glasspost::store
