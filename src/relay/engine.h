// The works of the relay (relay.h): lines of parcels, one a destination, with the connections that empty them.
#pragma once

#include <boost/asio/post.hpp>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "relay/delivery.h"
#include "relay/notices.h"
#include "relay/relay.h"
#include "relay/verdict.h"

namespace glasspost::relay {

// One destination.
struct Lane {
  // A connection that waits for the next parcel.
  struct Idle {
    net::Timer timer;
    bool woken = false;
  };

  std::string name;    // as DestinationOf gives it
  std::string domain;  // of a lane that a route names: the first recipient's, for the event only
  const Route* route = nullptr;
  std::deque<Parcel> waiting;
  std::unordered_set<std::string> written_as;  // what its entries have as NewEntry::destination
  std::vector<Idle*> idle;
  std::size_t entries = 0;      // in hand, also on their way
  std::size_t connections = 0;  // coroutines, also those that still open theirs
  std::size_t opening = 0;
  std::size_t serving = 0;
  std::size_t cap = ~std::size_t{0};  // connections that the host was seen to allow
  bool proven = false;                // it has taken a message since it was last down
  bool crowded = false;               // entries were left in the queue for want of room
  bool hungry = false;                // in Engine::hungry_
  int failures = 0;                   // in a row
  Timestamp down_until = 0;
  smtp::Outcome why;  // it is down
  Trip way;           // on which that was found
};

class Engine final : public std::enable_shared_from_this<Engine> {
 public:
  Engine(const RelayOptions& options, const RelayParts& parts, TlsContexts tls);

  // On the thread of the io_context.
  void Start();
  void Stop(std::chrono::nanoseconds grace, std::function<void()> done);
  void Kick();
  void Retry();
  Counts counts() const;

  net::asio::io_context& context() { return parts_.context; }
  const RelayOptions& options() const { return options_; }

 private:
  struct Locality {
    bool ours = false;
    std::int64_t until = 0;  // by the steady clock
    bool asking = false;
    std::vector<store::Entry> waiting = {};
  };
  struct DeadHost {
    std::int64_t until = 0;  // by the steady clock
    smtp::Outcome why;
  };

  // The queue (engine.cc).
  void Claim();
  void TakeClaimed(std::vector<store::Entry> entries);
  void OnClaimed(store::Result<std::vector<store::Entry>> result, std::size_t reserved);
  void AskNextDue();
  void WaitUntil(Timestamp due);
  std::vector<std::string> Skipped() const;
  void Renew();
  void RenewThese(std::vector<store::EntryId> ids);
  void OnRenewed(std::vector<store::EntryId> ids, bool lost);
  void Forget(store::EntryId id);
  void Let(const std::vector<store::Entry>& entries);
  void OnSettled(bool later);
  void OnNoticeDone(const std::vector<store::Outcome>& outcomes, bool queued);
  bool LetGo(store::EntryId id);
  store::Lease NewLease() const;
  std::int64_t Steady() const { return parts_.deadlines.clock().Steady(); }
  Timestamp Now() const { return parts_.deadlines.clock().Now(); }

  // The lanes (engine_lanes.cc).
  void Take(std::vector<store::Entry> entries);
  void TakeOne(store::Entry entry);
  void AskLocality(std::string domain);
  void Put(store::Entry entry, const std::string& domain);
  Lane& LaneFor(std::string name, const std::string& domain);
  void Spread(Lane& lane);
  void SpreadTouched();
  std::size_t Most(const Lane& lane) const;
  void Finish(std::vector<Verdict> verdicts, const Trip& trip);
  void Conclude(Lane& lane, std::vector<Verdict> verdicts, const Trip& trip);
  void FailLane(Lane& lane, const Trip& trip, const smtp::Outcome& why);
  void Tidy(Lane& lane);
  void TidyAll();
  void ReleaseWaiting(Lane& lane);
  void CheckStopped();
  // A completion for a call of the store, which is owed until then: `then` runs on our context. Nothing of ours is left with the
  // store's thread once it is posted: the relay may be gone before that thread has returned.
  template <class T, class F>
  auto Owed(F then) {
    ++calls_;
    return [self = shared_from_this(), then = std::move(then)](store::Result<T> result) mutable {
      net::asio::io_context& context = self->parts_.context;
      net::asio::post(context, [self = std::move(self), then = std::move(then), result = std::move(result)]() mutable {
        --self->calls_;
        then(std::move(result));
      });
    };
  }

  // The connections (engine_work.cc).
  net::Task<void> Work(std::shared_ptr<Engine> self, Lane& lane);
  net::Task<void> Serve(Lane& lane, Connection& connection, Trip trip);
  net::Task<bool> NextParcel(Lane& lane, Connection& connection);
  net::Task<void> Deliver(Lane& lane, Connection& connection, Trip& trip);
  net::Task<std::unique_ptr<Connection>> OpenOne(Lane& lane, const Itinerary& way, Trip& trip, smtp::Outcome& why);
  void Settle(Lane& lane, Connection& connection, Parcel parcel, std::vector<smtp::Outcome> outcomes, const Trip& trip);
  const smtp::Outcome* KnownDead(const Endpoint& endpoint);
  void NoteDead(const Endpoint& endpoint, const smtp::Outcome& why);

  const RelayOptions options_;
  const RelayParts parts_;
  Observer silent_;
  Observer& observer_;
  const std::string owner_;
  Surroundings around_;
  Settler settler_;
  std::shared_ptr<Notices> notices_;
  Judge judge_;
  std::unordered_map<std::string, std::unique_ptr<Lane>> lanes_;
  std::unordered_map<std::string, Locality> localities_;
  std::map<Endpoint, DeadHost> dead_;
  std::unordered_set<store::EntryId> held_;  // leased, and their outcome is not on its way yet
  std::unordered_set<Connection*> open_;
  std::vector<Lane*> touched_;
  std::deque<Lane*> hungry_;  // have parcels, and found no connection free
  std::size_t in_hand_ = 0;
  std::size_t connections_ = 0;
  std::size_t delivering_ = 0;  // connections with a parcel
  net::Timer due_timer_;
  net::Timer renew_timer_;
  net::Timer grace_timer_;
  std::function<void()> stopped_;
  std::size_t calls_ = 0;  // of the store, whose completion is owed
  bool claiming_ = false;
  bool claim_again_ = false;
  bool starved_ = false;  // there was no room for a claim
  bool started_ = false;
  bool stopping_ = false;
};

}  // namespace glasspost::relay
