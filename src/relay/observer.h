// What the relay tells whoever counts and logs. Called on the relay's thread; views live during the call; it must not block.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/origin.h"
#include "store/queue.h"

namespace glasspost::relay {

enum class Result : std::uint8_t {
  kRelayed,    // the next hop has it
  kDelivered,  // laid into a mailbox here
  kDeferred,
  kBounced,  // failed; the sender is told
  kDropped,  // failed; nobody is told
};

struct Delivery {
  Result result = Result::kRelayed;
  const store::Entry* entry = nullptr;
  Octets host;     // empty: none was reached
  Octets address;  // with its port
  Octets reply;    // "250 2.0.0 queued as …", or our own words
  bool local_words = false;
  Octets next_id;     // kRelayed: the next hop's queue id, if it says one
  Timestamp due = 0;  // kDeferred
  std::uint64_t conversation = 0;
};

struct Counts {
  std::size_t connections = 0;   // open now
  std::size_t in_hand = 0;       // entries
  std::size_t destinations = 0;  // known now
  std::size_t down = 0;          // of these
};

class Observer {
 public:
  virtual ~Observer() = default;
  virtual void OnDelivery(const Delivery&) {}
  // A connection is made, or could not be (`why`).
  virtual void OnConnection(Octets /*destination*/, Octets /*host*/, const Endpoint&, bool /*tls*/, Octets /*why*/) {}
  // A bounce, notice of delay or other report was laid into the queue or a mailbox.
  virtual void OnNotice(store::MessageId /*about*/, store::MessageId /*notice*/, Octets /*to*/) {}
  // The store would not do as asked.
  virtual void OnTrouble(std::string_view /*what*/) {}
};

}  // namespace glasspost::relay
