// Which protocol is spoken and which side is the server: decided from what is said, the port is only a hint.
#pragma once

#include <cstdint>

#include "base/octets.h"
#include "wire/exchange.h"

namespace glasspost::analysis {

struct Detection {
  enum class State : std::uint8_t { kMore, kFound, kNotMail };
  State state = State::kMore;
  Protocol protocol = Protocol::kUnknown;
  int client_side = 0;
};

// The first octets that each side was heard to say; sides as in capture::Side.
struct FirstWords {
  Octets said[2];
  std::uint16_t port[2] = {0, 0};
  bool mid_stream = false;  // the capture does not hold the beginning
  bool ended = false;       // no more will be said
  int syn_side = -1;        // the side that sent the SYN; -1: not seen
};

// How much of each side is looked at before it is settled that this is no mail.
inline constexpr std::size_t kFirstWordsLimit = 4096;

Detection Detect(const FirstWords& words);

// Of a server that speaks in the clear where its client has begun TLS: the protocol of its first words; `known`, unless it is
// kTls, and else `port` are a hint. kUnknown: they do not say.
Protocol PlainProtocol(Octets said, Protocol known, std::uint16_t port);

// The protocol a port suggests (RFC 6335 registry and common practice); kUnknown for others. 465, 993, 995 suggest kTls.
Protocol ProtocolOfPort(std::uint16_t port);

}  // namespace glasspost::analysis
