#include "server/relay_host.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <future>

namespace glasspost::server {
namespace {

std::int64_t Nanoseconds(Seconds s) { return std::chrono::nanoseconds(s).count(); }

relay::TlsPolicy PolicyOf(TlsRule rule) {
  switch (rule) {
    case TlsRule::kOff:
      return relay::TlsPolicy::kNever;
    case TlsRule::kOpportunistic:
      return relay::TlsPolicy::kIfOffered;
    case TlsRule::kRequired:
    case TlsRule::kVerified:
      break;
  }
  return relay::TlsPolicy::kRequired;
}

relay::Family FamilyOf(AddressFamily family) {
  return family == AddressFamily::kIpv4   ? relay::Family::kIpv4
         : family == AddressFamily::kIpv6 ? relay::Family::kIpv6
                                          : relay::Family::kAny;
}

Expected<relay::NextHop> HopOf(const NextHop& to) {
  const auto password = PasswordOf(to);
  if (!password) return std::unexpected(password.error());
  relay::NextHop hop;
  hop.host = to.host;
  hop.port = static_cast<std::uint16_t>(to.port);
  hop.tls = PolicyOf(to.tls);
  hop.verify = to.tls == TlsRule::kVerified;
  hop.implicit_tls = to.implicit_tls;
  hop.credentials.user = to.user;
  hop.credentials.password = *password;
  hop.passwords_without_tls = to.tls == TlsRule::kOff;
  return hop;
}

relay::Timeouts TimeoutsOf(const Config::Relay& relay) {
  relay::Timeouts timeouts;
  timeouts.connect = relay.connect;
  timeouts.greeting = relay.greeting;
  timeouts.command = relay.command;
  timeouts.data_start = relay.data_start;
  timeouts.data_block = relay.data_block;
  timeouts.data_end = relay.data_end;
  return timeouts;
}

}  // namespace

Expected<relay::RelayOptions> MakeRelayOptions(const Config& config) {
  relay::RelayOptions options;
  options.host = OwnHostName(config);
  options.port = static_cast<std::uint16_t>(config.relay.port);
  options.tls = PolicyOf(config.relay.tls);
  options.verify = config.relay.tls == TlsRule::kVerified;
  options.family = FamilyOf(config.relay.addresses);
  options.timeouts = TimeoutsOf(config.relay);
  options.limits.connections = config.relay.connections;
  options.limits.per_destination = config.relay.per_destination;
  options.limits.messages = config.relay.messages_per_connection;
  options.retry.first = Nanoseconds(config.retry.first);
  options.retry.growth = config.retry.growth;
  options.retry.most = Nanoseconds(config.retry.maximum);
  options.retry.give_up = Nanoseconds(config.retry.give_up);
  options.retry.delay_notice = Nanoseconds(config.retry.delay_notice);
  for (const Route& route : config.relay.route) {
    auto hop = HopOf(route.to);
    if (!hop) return std::unexpected(hop.error());
    options.routes.push_back({route.domain, std::move(*hop)});
  }
  if (!config.smarthost.host.empty()) {
    auto hop = HopOf(config.smarthost);
    if (!hop) return std::unexpected(hop.error());
    options.routes.push_back({"*", std::move(*hop)});
  }
  return options;
}

Expected<std::unique_ptr<RelayHost>> RelayHost::Make(const Config& config, Parts parts) {
  const auto options = MakeRelayOptions(config);
  if (!options) return std::unexpected(options.error());
  std::unique_ptr<RelayHost> host(new RelayHost(std::move(parts)));
  net::UnboundOptions unbound;
  for (const Endpoint& server : config.resolver.name_servers) unbound.name_servers.push_back(server.Text());
  unbound.recursive = config.resolver.recursive;
  unbound.trust_anchor = config.resolver.trust_anchor;
  auto resolver = net::UnboundResolver::Make(host->context_, unbound);
  if (!resolver) return std::unexpected(resolver.error());
  host->resolver_ = std::move(*resolver);
  auto made = relay::Relay::Make(*options, {host->context_, host->deadlines_, host->parts_.store, *host->resolver_,
                                            host->parts_.randomness, host->parts_.taps.get(), &host->observer_});
  if (!made) return std::unexpected(made.error());
  host->relay_ = std::move(*made);
  return host;
}

RelayHost::~RelayHost() { Halt(); }

void RelayHost::Halt() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void RelayHost::Start() {
  relay_->Start();
  thread_ = std::thread([this] {
    const auto guard = net::asio::make_work_guard(context_);
    context_.run();
  });
}

void RelayHost::Stop(std::chrono::nanoseconds grace) {
  if (!thread_.joinable()) return;
  auto stopped = std::make_shared<std::promise<void>>();
  auto future = stopped->get_future();
  net::asio::post(context_, [this, grace, stopped] { relay_->Stop(grace, [stopped] { stopped->set_value(); }); });
  future.wait();
  context_.stop();
  thread_.join();
}

}  // namespace glasspost::server
