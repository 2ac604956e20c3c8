#include "relay/relay.h"

#include <boost/asio/post.hpp>
#include <utility>

#include "relay/destination.h"
#include "relay/engine.h"

namespace glasspost::relay {

Expected<std::unique_ptr<Relay>> Relay::Make(const RelayOptions& options, const RelayParts& parts) {
  auto any = net::TlsContext::ForClient({.verify = false, .authorities = {}, .alpn = {}});
  if (!any) return std::unexpected(any.error());
  auto verified = net::TlsContext::ForClient({.verify = true, .authorities = options.authorities, .alpn = {}});
  if (!verified) return std::unexpected(verified.error());
  auto engine = std::make_shared<Engine>(options, parts, TlsContexts{*any, *verified});
  return std::unique_ptr<Relay>(new Relay(std::move(engine)));
}

Relay::Relay(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
Relay::~Relay() = default;

void Relay::Start() {
  net::asio::post(engine_->context(), [engine = engine_] { engine->Start(); });
}
void Relay::Stop(std::chrono::nanoseconds grace, std::function<void()> done) {
  net::asio::post(engine_->context(),
                  [engine = engine_, grace, done = std::move(done)]() mutable { engine->Stop(grace, std::move(done)); });
}
void Relay::Kick() {
  net::asio::post(engine_->context(), [engine = engine_] { engine->Kick(); });
}
void Relay::Retry() {
  net::asio::post(engine_->context(), [engine = engine_] { engine->Retry(); });
}
std::string Relay::DestinationOf(Octets recipient) const { return relay::DestinationOf(engine_->options(), recipient); }
Counts Relay::counts() const { return engine_->counts(); }

}  // namespace glasspost::relay
