// The relay with what it lives on: a thread of its own, a resolver, taps.
#pragma once

#include <memory>
#include <thread>

#include "net/deadlines.h"
#include "net/unbound_resolver.h"
#include "relay/relay.h"
#include "server/config.h"
#include "server/relay_events.h"

namespace glasspost::server {

// An error where a password file cannot be read.
Expected<relay::RelayOptions> MakeRelayOptions(const Config& config);

class RelayHost {
 public:
  struct Parts {
    store::Store& store;
    const Clock& clock;
    Randomness& randomness;
    Events& events;
    std::shared_ptr<TapSource> taps;  // null: nobody listens
  };
  static Expected<std::unique_ptr<RelayHost>> Make(const Config& config, Parts parts);
  ~RelayHost();

  void Start();
  // Transactions that run may end within `grace`; returns when the relay stands still. Once, after Start.
  void Stop(std::chrono::nanoseconds grace);
  // At once: nothing of it runs any more, and no call of the store comes from it.
  void Halt();
  // Any thread.
  relay::Relay& relay() { return *relay_; }

 private:
  RelayHost(Parts parts) : parts_(std::move(parts)), deadlines_(context_, parts_.clock), observer_(parts_.events) {}

  Parts parts_;
  net::asio::io_context context_{1};
  net::Deadlines deadlines_;
  RelayEvents observer_;
  std::unique_ptr<net::Resolver> resolver_;
  std::unique_ptr<relay::Relay> relay_;
  std::thread thread_;
};

}  // namespace glasspost::server
