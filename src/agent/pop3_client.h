// Fetches from a POP3 server: the client session of wire/pop3 over a stream.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "agent/drive.h"
#include "base/randomness.h"

namespace glasspost::agent {

struct FetchResult {
  std::vector<std::string> messages;  // those that were asked for, in their order
  pop3::ClientOutcome closed;
};

// Logs in; `order` gives the session its orders once that is done, QUIT as the last; what RETR brings is kept. All references
// live until it is done.
net::Task<FetchResult> Fetch(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, Peer server,
                             const pop3::ClientOptions& options, std::function<void(pop3::ClientSession&)> order);

}  // namespace glasspost::agent
