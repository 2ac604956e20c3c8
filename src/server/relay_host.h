// The relay with what it lives on: a thread of its own, a resolver, taps. A relay keeps the settings that it was made with: where
// others are wanted it is stopped, and one with the new ones takes its place.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <thread>
#include <vector>

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
  // The settings that it is to have from now on. Where they differ, no transaction is begun with the old ones any more; those
  // that run may end, and soon the new ones are used. An error (a password file that cannot be read) changes nothing. On one
  // thread.
  Expected<void> Change(const Config& config, std::shared_ptr<TapSource> taps);
  // No transaction is begun any more; those that run may end within `grace`. Once, after Start.
  void Stop(std::chrono::nanoseconds grace);
  // Returns when the relay stands still. After Stop.
  void AwaitStop();
  // At once: nothing of it runs any more, and no call of the store comes from it.
  void Halt();
  // As the relay's own; any thread.
  void Kick();
  void Retry();

 private:
  // All that a relay is made of.
  struct Settings {
    std::string host;
    Config::Relay relay;
    NextHop smarthost;
    Config::Retry retry;
    Config::Resolver resolver;
    Texts passwords;  // what is in the files
    KeptConversations keep;
    bool show_secrets;
    bool operator==(const Settings&) const = default;
  };
  // A relay with what goes when it goes.
  struct Works {
    std::shared_ptr<TapSource> taps;
    std::unique_ptr<net::Resolver> resolver;
    std::unique_ptr<relay::Relay> relay;
    bool stopped = false;
  };

  RelayHost(Parts parts)
      : parts_(std::move(parts)), deadlines_(context_, parts_.clock), observer_(parts_.events), timer_(context_) {}
  static Settings SettingsOf(const Config& config, const relay::RelayOptions& options);
  Expected<std::unique_ptr<Works>> MakeWorks(const Config& config, const relay::RelayOptions& options,
                                             std::shared_ptr<TapSource> taps);
  // On the relay's thread.
  void TakeOver(std::unique_ptr<Works> next);
  void StopWorks(Works& works, std::chrono::nanoseconds grace);
  void OnStopped();
  void Begin();
  void Tick();
  void End(std::chrono::nanoseconds grace, std::function<void()> done);

  Parts parts_;
  Settings settings_;  // of who calls Make and Change
  net::asio::io_context context_{1};
  net::Deadlines deadlines_;
  RelayEvents observer_;
  net::Timer timer_;
  std::unique_ptr<Works> current_;
  std::vector<std::unique_ptr<Works>> old_;  // until nothing of them runs any more
  bool waiting_ = false;                     // current_ has not begun, for the sake of old_
  std::function<void()> ended_;              // set: it is coming to its end
  std::promise<void> stopped_;
  std::thread thread_;
};

}  // namespace glasspost::server
