// What listens to a live connection: called by net for each of its streams, implemented by analysis. All calls of one connection
// come in order, on the stream's thread; views are good during the call. A tap must not block.
//
// OnOctets are the protocol's octets, as an observer wants them: in the clear, then what was within TLS. OnRecords are what
// crossed the wire from OnTlsStart on: what a packet file wants, together with the secrets. Before OnTlsStart the two are the
// same, and only OnOctets is called.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "base/address.h"
#include "base/octets.h"
#include "base/origin.h"

namespace glasspost {

enum class Closing : std::uint8_t {
  kByUs,      // orderly, we first
  kByPeer,    // orderly, the peer first
  kReset,     // not orderly: reset, or a network error
  kTimedOut,  // given up for silence
};

class Tap {
 public:
  virtual ~Tap() = default;
  // The conversation's number, by which journeys name it; 0: it has none.
  virtual std::uint64_t conversation() const { return 0; }
  virtual void OnConnect(const Endpoint& client, const Endpoint& server, Timestamp time) = 0;
  virtual void OnOctets(Direction direction, Octets octets, Timestamp time) = 0;
  // The handshake begins; what came in the clear and was not used is forgotten.
  virtual void OnTlsStart(Timestamp time) = 0;
  virtual void OnRecords(Direction direction, Octets octets, Timestamp time) = 0;
  // A line of NSS's key log format, without its line end.
  virtual void OnTlsSecrets(Octets line) = 0;
  virtual void OnTlsEstablished(Timestamp time) = 0;
  // The last call.
  virtual void OnClose(Closing how, Timestamp time) = 0;
};

// Makes one for each connection; null: it is not listened to. Called from any thread.
class TapSource {
 public:
  virtual ~TapSource() = default;
  virtual std::unique_ptr<Tap> NewTap() = 0;
};

}  // namespace glasspost
