#include "server/relay_events.h"

#include <string>

#include "base/time_text.h"

namespace glasspost::server {
namespace {

Event EventOf(relay::Result result) {
  switch (result) {
    case relay::Result::kRelayed:
      return Event::kRelayed;
    case relay::Result::kDelivered:
      return Event::kDelivered;
    case relay::Result::kDeferred:
      return Event::kDeferred;
    case relay::Result::kBounced:
      return Event::kBounced;
    case relay::Result::kDropped:
      break;
  }
  return Event::kDropped;
}

}  // namespace

void RelayEvents::OnDelivery(const relay::Delivery& delivery) {
  const store::Entry& entry = *delivery.entry;
  std::string due;
  if (delivery.due != 0) AppendRfc3339(due, delivery.due);
  events_.Note(EventOf(delivery.result), delivery.conversation,
               {{"id", store::QueueIdText(entry.message)},
                {"from", entry.envelope.reverse_path},
                {"to", entry.entry.recipient},
                {"host", delivery.host},
                {"address", delivery.address},
                {"reply", delivery.reply},
                {"next_id", delivery.next_id},
                {"due", due}});
}

void RelayEvents::OnConnection(Octets destination, Octets host, const Endpoint& address, bool tls, Octets why) {
  events_.Note(
      why.empty() ? Event::kRelayConnect : Event::kRelayConnectFailed, 0,
      {{"destination", destination}, {"host", host}, {"address", address.Text()}, {"tls", tls ? "yes" : ""}, {"why", why}});
}

void RelayEvents::OnNotice(store::MessageId about, store::MessageId notice, Octets to) {
  events_.Note(Event::kNotice, 0, {{"id", store::QueueIdText(notice)}, {"about", store::QueueIdText(about)}, {"to", to}});
}

void RelayEvents::OnTrouble(std::string_view what) { events_.Note(Event::kStoreFailed, 0, {{"why", what}}); }

}  // namespace glasspost::server
