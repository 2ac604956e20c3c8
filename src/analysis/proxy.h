// The handshake with a proxy that lies before the dialogue proper: SOCKS4 and 4a, SOCKS5 (RFC 1928) with user name and password
// (RFC 1929), HTTP CONNECT (RFC 9110 §9.3.6). Only ways to a tunnel that was granted are read. No state: it looks at the first
// octets of both sides, as often as more of them are known.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/octets.h"

namespace glasspost::analysis {

struct ProxyHandshake {
  enum class State : std::uint8_t {
    kNone,  // this is none, or the proxy refused
    kMore,  // so far it is one; it has not ended
    kDone,  // the tunnel is open
  };
  State state = State::kNone;
  std::size_t client_octets = 0;  // of the handshake; what follows is the dialogue
  std::size_t server_octets = 0;
  std::uint16_t port = 0;  // that the client asked for
};

// `client` and `server` are the first octets of the two sides: the one that asks the proxy, and the proxy.
ProxyHandshake ReadProxyHandshake(Octets client, Octets server);

}  // namespace glasspost::analysis
