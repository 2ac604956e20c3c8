// Outcomes on their way into the store: what gathers while one transaction is under way is the next, so that many messages share
// a commit and none waits for a timer.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include "net/asio.h"
#include "relay/observer.h"
#include "store/queue.h"

namespace glasspost::relay {

// On one thread. Outlives the store's completions (the relay waits for idle()).
class Settler {
 public:
  // `on_settled` is called after each transaction; `later`: some entries are due again.
  // What is passed in outlives it.
  Settler(net::asio::io_context& context, store::Queue& queue, std::string owner, Observer& observer,
          std::function<void(bool later)> on_settled);

  // The outcomes of one message with their events: one transaction. At most QueueLimits::kOutcomes.
  void Add(std::vector<store::Outcome> outcomes, std::vector<store::JourneyEvent> events);
  // Returns when all that was added before the call is on the disk (or was refused for good).
  net::Task<void> Written();
  bool idle() const { return waiting_.empty() && !under_way_; }
  // An outcome of this entry is not on the disk yet.
  bool Has(store::EntryId entry) const { return unwritten_.contains(entry); }
  // A full disk is not waited out any more: what cannot be written now is given up, and the entry's lease runs out.
  void Stop();

 private:
  struct Item {
    std::vector<store::Outcome> outcomes;
    std::vector<store::JourneyEvent> events;
  };
  void Settle();
  void OnSettled(store::Result<std::vector<bool>> result);
  void Again();
  void Drop(std::size_t items);

  net::asio::io_context& context_;
  store::Queue& queue_;
  const std::string owner_;
  Observer& observer_;
  std::function<void(bool)> on_settled_;
  std::deque<Item> waiting_;
  std::unordered_set<store::EntryId> unwritten_;  // of the outcomes in waiting_
  std::size_t taken_ = 0;                         // items of waiting_ that are under way
  bool under_way_ = false;                        // or to be tried again
  bool stopping_ = false;
  bool later_ = false;                     // of what is under way, something is due again
  std::uint64_t added_ = 0, written_ = 0;  // items ever
  net::Timer timer_;
  net::Timer wrote_;  // never runs out; those who wait for it are woken after each transaction
};

}  // namespace glasspost::relay
