// When an answer to octets of somebody's own making is whole, as the protocol core tells it: of SMTP, POP3 and IMAP their
// observer, which hears the connection's tap; of DNS its framing, and what makes a message the answer to a query. Of anything
// else nobody can know. No I/O; one thread.
#pragma once

#include <memory>

#include "agent/payloads.h"
#include "wire/exchange.h"

namespace glasspost::agent {

// `stream`: over TCP, where the server of a protocol of lines speaks first, and each message of DNS has its length before it.
std::unique_ptr<AnswerEnd> EndOfAnswers(Protocol protocol, bool stream);

}  // namespace glasspost::agent
