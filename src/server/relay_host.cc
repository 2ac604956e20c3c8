#include "server/relay_host.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <utility>

namespace glasspost::server {
namespace {

using namespace std::chrono_literals;

// A relay that another one takes the place of: so long it may finish what it does. Less than its leases last without being
// renewed (RelayOptions::lease, from the last third on).
constexpr std::chrono::seconds kLongestDrain = 150s;
// For so long nothing is sent, if it is not done sooner.
constexpr std::chrono::milliseconds kPause = 1s;

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
  options.quota_permanent = config.mailboxes.over_quota == OverQuota::kPermanent;
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

RelayHost::Settings RelayHost::SettingsOf(const Config& config, const relay::RelayOptions& options) {
  Settings settings{.host = options.host,
                    .relay = config.relay,
                    .smarthost = config.smarthost,
                    .retry = config.retry,
                    .resolver = config.resolver,
                    .passwords = {},
                    .keep = config.conversations.keep,
                    .show_secrets = config.conversations.show_secrets};
  for (const relay::Route& route : options.routes) settings.passwords.push_back(route.to.credentials.password);
  return settings;
}

Expected<std::unique_ptr<RelayHost::Works>> RelayHost::MakeWorks(const Config& config, const relay::RelayOptions& options,
                                                                 std::shared_ptr<TapSource> taps) {
  auto works = std::make_unique<Works>();
  works->taps = std::move(taps);
  net::UnboundOptions unbound;
  for (const Endpoint& server : config.resolver.name_servers) unbound.name_servers.push_back(server.Text());
  unbound.recursive = config.resolver.recursive;
  unbound.trust_anchor = config.resolver.trust_anchor;
  auto resolver = net::UnboundResolver::Make(context_, unbound);
  if (!resolver) return std::unexpected(resolver.error());
  works->resolver = std::move(*resolver);
  auto made = relay::Relay::Make(
      options, {context_, deadlines_, parts_.store, *works->resolver, parts_.randomness, works->taps.get(), &observer_});
  if (!made) return std::unexpected(made.error());
  works->relay = std::move(*made);
  return works;
}

Expected<std::unique_ptr<RelayHost>> RelayHost::Make(const Config& config, Parts parts) {
  const auto options = MakeRelayOptions(config);
  if (!options) return std::unexpected(options.error());
  std::unique_ptr<RelayHost> host(new RelayHost(std::move(parts)));
  auto works = host->MakeWorks(config, *options, host->parts_.taps);
  if (!works) return std::unexpected(works.error());
  host->current_ = std::move(*works);
  host->settings_ = SettingsOf(config, *options);
  return host;
}

RelayHost::~RelayHost() { Halt(); }

void RelayHost::Halt() {
  context_.stop();
  if (thread_.joinable()) thread_.join();
}

void RelayHost::Start() {
  current_->relay->Start();
  thread_ = std::thread([this] {
    const auto guard = net::asio::make_work_guard(context_);
    context_.run();
  });
}

Expected<void> RelayHost::Change(const Config& config, std::shared_ptr<TapSource> taps) {
  const auto options = MakeRelayOptions(config);
  if (!options) return std::unexpected(options.error());
  Settings settings = SettingsOf(config, *options);
  if (settings == settings_) return {};
  auto works = MakeWorks(config, *options, std::move(taps));
  if (!works) return std::unexpected(works.error());
  settings_ = std::move(settings);
  net::asio::post(context_, [this, works = std::move(*works)]() mutable { TakeOver(std::move(works)); });
  return {};
}

// The new one begins when the old one stands still, or a little later if that takes long: one host that is slow to answer holds
// no other mail back. By then the queue has got back all that the old one had not begun with; its leases keep what it has.
void RelayHost::TakeOver(std::unique_ptr<Works> next) {
  if (ended_) return;
  if (waiting_) {
    current_ = std::move(next);  // the one before it has never begun
    return;
  }
  old_.push_back(std::move(current_));
  current_ = std::move(next);
  waiting_ = true;
  StopWorks(*old_.back(), kLongestDrain);
  Tick();
}

void RelayHost::StopWorks(Works& works, std::chrono::nanoseconds grace) {
  // Posted: it is called from within the relay.
  works.relay->Stop(grace, [this, &works] {
    net::asio::post(context_, [this, &works] {
      works.stopped = true;
      OnStopped();
    });
  });
}

void RelayHost::OnStopped() {
  const bool all = std::ranges::all_of(old_, [](const auto& works) { return works->stopped; });
  if (ended_) {
    if (all && current_->stopped) ended_();
  } else if (all) {
    Begin();
    current_->relay->Kick();  // what was given back last
  }
}

void RelayHost::Begin() {
  if (std::exchange(waiting_, false)) current_->relay->Start();
}

void RelayHost::Tick() {
  timer_.expires_after(kPause);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error || ended_) return;
    Begin();
    std::erase_if(old_, [](const auto& works) { return works->stopped && works->relay->over(); });
    if (!old_.empty()) Tick();
  });
}

void RelayHost::Kick() {
  net::asio::post(context_, [this] { current_->relay->Kick(); });
}

void RelayHost::Retry() {
  net::asio::post(context_, [this] { current_->relay->Retry(); });
}

void RelayHost::End(std::chrono::nanoseconds grace, std::function<void()> done) {
  ended_ = std::move(done);
  timer_.cancel();
  if (waiting_) {
    current_->stopped = true;
  } else {
    StopWorks(*current_, grace);
  }
  for (const auto& works : old_)
    if (!works->stopped) StopWorks(*works, grace);
  OnStopped();
}

void RelayHost::Stop(std::chrono::nanoseconds grace) {
  net::asio::post(context_, [this, grace] {
    End(grace, [this, told = false]() mutable {
      if (!std::exchange(told, true)) stopped_.set_value();
    });
  });
}

void RelayHost::AwaitStop() {
  stopped_.get_future().wait();
  context_.stop();
  thread_.join();
}

}  // namespace glasspost::server
