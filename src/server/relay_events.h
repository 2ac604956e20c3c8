// What the relay does, into the log and the metrics.
#pragma once

#include "relay/observer.h"
#include "server/events.h"

namespace glasspost::server {

class RelayEvents final : public relay::Observer {
 public:
  // `events` outlives it.
  explicit RelayEvents(Events& events) : events_(events) {}
  void OnDelivery(const relay::Delivery& delivery) override;
  void OnConnection(Octets destination, Octets host, const Endpoint& address, bool tls, Octets why) override;
  void OnNotice(store::MessageId about, store::MessageId notice, Octets to) override;
  void OnTrouble(std::string_view what) override;

 private:
  Events& events_;
};

}  // namespace glasspost::server
