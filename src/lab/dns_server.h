// A small authoritative name server: wire/dns's look-up behind sockets, UDP and TCP. One thread; lives on its io_context's.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "net/asio.h"
#include "net/deadlines.h"
#include "wire/dns/authority.h"

namespace glasspost::lab {

struct DnsServerLimits {
  static constexpr std::size_t kConnections = 200;           // over TCP, in all
  static constexpr std::size_t kConnectionsOfAddress = 100;  // from one address
  static constexpr int kQueries = 1000;                      // of one connection
  static constexpr std::size_t kAnswers =
      65536;  // octets that gather before they are sent: stops small queries for large answers
  static constexpr std::chrono::seconds kIdle{10};  // a connection that says nothing, or takes nothing (RFC 7766 §6.2.3)
};

// What was asked and answered, for those who watch.
struct DnsServed {
  Endpoint client;
  dns::Transport transport;
  Octets query;
  Octets answer;  // empty: none was given
};
using OnDnsServed = std::function<void(const DnsServed& served)>;

class DnsServer {
 public:
  // Bound on UDP and TCP of `endpoint`; port 0: any that is free, the same for both. Nothing is answered before Start. All
  // references outlive it.
  static Expected<std::unique_ptr<DnsServer>> Open(net::asio::io_context& context, net::Deadlines& deadlines,
                                                   const Endpoint& endpoint, const dns::Authority& authority);
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  void Start(OnDnsServed on_served);
  void Stop();
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  struct State;
  DnsServer(std::shared_ptr<State> state, const Endpoint& endpoint);

  std::shared_ptr<State> state_;  // shared with the coroutines, which may end later
  Endpoint endpoint_;
};

}  // namespace glasspost::lab
