// Is this message the answer to that query? (RFC 5452 §9: the identification and the question; who sent it, and to which port,
// is the socket's to know.)
#pragma once

#include <cstdint>

#include "wire/dns/message.h"

namespace glasspost::dns {

enum class Match : std::uint8_t {
  kAnswer,
  kNoAnswer,       // a query, or no message at all
  kWrongId,        // with another identification
  kWrongQuestion,  // to another question
};

// Both were decoded. A server that cannot read the query, or does not want to, may leave the question out; where the query, or
// what came, cannot be read to its end itself, the identification decides.
Match MatchAnswer(const Message& query, const Message& answer);

}  // namespace glasspost::dns
