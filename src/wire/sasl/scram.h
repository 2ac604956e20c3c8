// The messages of SCRAM (RFC 5802 §5, §7), read strictly. Views point into what was parsed.
#pragma once

#include <optional>
#include <string>

#include "base/octets.h"

namespace glasspost::sasl::scram {

struct ClientFirst {
  Octets gs2_header;          // "n,," or "n,a=other,"
  Octets bare;                // what the signatures are made of
  std::string user;           // "=2C" and "=3D" undone
  std::string authorization;  // the same
  Octets nonce;
};
// Nothing also for a client that insists on channel binding ("p=").
std::optional<ClientFirst> ParseClientFirst(Octets message);

struct ServerFirst {
  Octets nonce;
  std::string salt;
  unsigned iterations = 0;
};
std::optional<ServerFirst> ParseServerFirst(Octets message);

struct ClientFinal {
  std::string channel_binding;  // the GS2 header, decoded
  Octets nonce;
  Octets without_proof;
  std::string proof;
};
std::optional<ClientFinal> ParseClientFinal(Octets message);

struct ServerFinal {
  bool error = false;
  std::string signature;
};
std::optional<ServerFinal> ParseServerFinal(Octets message);

// "," and "=" as "=2C" and "=3D".
std::string EncodeName(Octets name);

}  // namespace glasspost::sasl::scram
