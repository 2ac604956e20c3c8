// The relay: takes due entries from the queue by lease, groups them by message and destination, hands them to the hosts that take
// the destination's mail over kept connections, and writes what became of them. One dead or slow host holds nobody else back:
// each destination has its own bounded line and connections, and one that is down is not claimed for until it is asked again.
//
// It lives on one io_context; Kick and Retry may be called from any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/randomness.h"
#include "base/tap.h"
#include "net/deadlines.h"
#include "net/resolver.h"
#include "relay/observer.h"
#include "relay/options.h"
#include "store/store.h"

namespace glasspost::relay {

// All of them outlive the relay and, since connections that are still being made end by themselves, `context` as well.
struct RelayParts {
  net::asio::io_context& context;
  net::Deadlines& deadlines;  // of `context`
  store::Store& store;
  net::Resolver& resolver;
  Randomness& randomness;
  TapSource* taps = nullptr;     // each connection is a conversation; null: nobody listens
  Observer* observer = nullptr;  // null: nobody counts
};

class Engine;

class Relay {
 public:
  // The error says which certificate authorities cannot be read.
  static Expected<std::unique_ptr<Relay>> Make(const RelayOptions& options, const RelayParts& parts);
  // After Stop has called back, or Start was never called.
  ~Relay();
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;

  void Start();
  // No entry is taken any more. Transactions that run may end within `grace`; then their connections are cut. All that is in hand
  // is given back to the queue, and then `done` is called, on the relay's thread. Called again, it is this grace and this `done`
  // that count.
  void Stop(std::chrono::nanoseconds grace, std::function<void()> done);

  // There are new entries in the queue, or some are due earlier than before.
  void Kick();
  // Likewise, and hosts that were down are asked again at once: the operator says so.
  void Retry();

  // What NewEntry::destination is to be; empty: no address that mail can go to.
  std::string DestinationOf(Octets recipient) const;

  // On the relay's thread.
  Counts counts() const;
  // On the relay's thread, after Stop has called back: no connection is being made or closed any more, so that what it lives on
  // may go though `context` runs on.
  bool over() const { return engine_.use_count() == 1; }

 private:
  explicit Relay(std::shared_ptr<Engine> engine);

  std::shared_ptr<Engine> engine_;
};

}  // namespace glasspost::relay
