#include "cli/agent_world.h"

#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "net/system_clock.h"

namespace glasspost::cli {
namespace {

constexpr std::chrono::seconds kPatience(6);  // of a question to the DNS: libunbound tries again after one or two

}  // namespace

AgentWorld::AgentWorld() : deadlines_(context_, net::SystemClock()), randomness_(SystemRandomness()) {}
AgentWorld::~AgentWorld() = default;

Expected<std::unique_ptr<AgentWorld>> AgentWorld::Make(const std::string& name_server) {
  std::unique_ptr<AgentWorld> world(new AgentWorld);
  net::UnboundOptions options;
  if (!name_server.empty()) options.name_servers = {name_server};
  options.hosts = true;
  options.patience = kPatience;
  auto made = net::UnboundResolver::Make(world->context_, options);
  if (!made) return std::unexpected(made.error());
  world->unbound_ = std::move(*made);
  world->resolver_ = std::make_unique<agent::ImpatientResolver>(*world->unbound_);
  return world;
}

void AgentWorld::TidyWhenInterrupted(std::function<void()> tidy) {
  WhenInterrupted([tidy = std::move(tidy)](int) { return tidy(), false; });
}

void AgentWorld::WhenInterrupted(std::function<bool(int status)> end) {
  signals_.add(SIGINT);
  signals_.add(SIGTERM);
  signals_.add(SIGHUP);
  signals_.async_wait([this, end = std::move(end)](const boost::system::error_code& error, int number) {
    if (error) return;
    if (end(128 + number)) return signals_.clear();
    std::fflush(nullptr);
    ::_exit(128 + number);  // what still runs is not asked: its sockets close by themselves
  });
}

Expected<std::shared_ptr<const net::TlsContext>> AgentWorld::Tls(bool verify, const std::string& authorities) {
  return net::TlsContext::ForClient({.verify = verify, .authorities = authorities, .alpn = {}});
}

Expected<std::shared_ptr<const net::TlsContext>> AgentWorld::TlsFor(const agent::Account& account,
                                                                    const agent::ServerAddress& server) {
  if (server.tls == agent::TlsKind::kNone) return std::shared_ptr<const net::TlsContext>();
  return Tls(account.verify, account.authorities);
}

}  // namespace glasspost::cli
