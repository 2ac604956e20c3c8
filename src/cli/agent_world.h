// The network as the agent's commands have it: an io_context of their own, the DNS, TLS for an account.
#pragma once

#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_future.hpp>
#include <functional>
#include <memory>
#include <string>

#include "agent/discovery.h"
#include "agent/login.h"
#include "base/error.h"
#include "net/deadlines.h"
#include "net/unbound_resolver.h"

namespace glasspost::cli {

class AgentWorld {
 public:
  // `name_server`: "192.0.2.53" or "192.0.2.53:5353"; empty: this machine's.
  static Expected<std::unique_ptr<AgentWorld>> Make(const std::string& name_server);
  ~AgentWorld();

  // Until it is done.
  template <class T>
  T Run(net::Task<T> task) {
    auto result = net::asio::co_spawn(context_.get_executor(), std::move(task), net::asio::use_future);
    context_.restart();
    while (result.wait_for(std::chrono::seconds(0)) != std::future_status::ready && context_.run_one() > 0) {
    }
    return result.get();
  }
  agent::Network network() { return {context_, deadlines_, *resolver_, randomness_}; }

  // On SIGINT, SIGTERM or SIGHUP during Run `tidy` is called, on Run's thread, between two steps of what runs; then the program
  // ends with 128 and the signal's number. For what would be left behind: half-written files, a capture without its name.
  void TidyWhenInterrupted(std::function<void()> tidy);
  // Likewise, but if `end` says true what runs is let come to an end of its own; a second signal ends the program at once.
  // `status`: 128 and the signal's number.
  void WhenInterrupted(std::function<bool(int status)> end);

  // Of an account: whom it trusts.
  static Expected<std::shared_ptr<const net::TlsContext>> Tls(bool verify, const std::string& authorities);
  // Null where the server is to be spoken to without: reading a system's authorities takes longer than a message.
  static Expected<std::shared_ptr<const net::TlsContext>> TlsFor(const agent::Account& account,
                                                                 const agent::ServerAddress& server);

 private:
  AgentWorld();

  net::asio::io_context context_{1};
  net::asio::signal_set signals_{context_};
  net::Deadlines deadlines_;
  Randomness& randomness_;
  std::unique_ptr<net::UnboundResolver> unbound_;
  std::unique_ptr<agent::ImpatientResolver> resolver_;
};

}  // namespace glasspost::cli
