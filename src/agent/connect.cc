#include "agent/connect.h"

#include "net/dns_reading.h"

namespace glasspost::agent {

net::Task<Expected<Connected>> ConnectTo(const Network& network, ServerAddress server, std::shared_ptr<const net::TlsContext> tls,
                                         TrialLimits limits, std::function<std::unique_ptr<Tap>()> tap) {
  const auto addresses = co_await net::FindAddresses(network.resolver, server.host, TrialLimits::kAddresses);
  if (!addresses) co_return Fail(addresses.error().what, server.host);
  Connected out;
  out.peer = {.endpoint = {},
              .host = server.host,
              .implicit_tls = server.tls == TlsKind::kImplicit,
              .tls = std::move(tls),
              .timeout = limits.wait};
  Error last{"cannot be reached", server.HostAndPort(), {}};
  for (const Address& address : *addresses) {
    out.peer.endpoint = {address, server.port};
    std::unique_ptr<Tap> ear;
    if (tap) ear = tap();
    auto connected = co_await net::Connect(network.context, network.deadlines, out.peer.endpoint, limits.connect, std::move(ear));
    if (connected) {
      out.stream = std::move(*connected);
      co_return out;
    }
    last = connected.error();
  }
  co_return std::unexpected(last);
}

}  // namespace glasspost::agent
