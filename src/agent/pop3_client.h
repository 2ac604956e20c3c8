// Fetches from a POP3 server: the client session of wire/pop3 over a stream.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/randomness.h"
#include "net/stream.h"
#include "wire/pop3/client_session.h"

namespace glasspost::agent {

struct Pop3Server {
  Endpoint endpoint;
  std::string host;
  bool implicit_tls = false;  // port 995
  std::shared_ptr<const net::TlsContext> tls;
  std::chrono::seconds timeout{300};
};

struct FetchResult {
  std::vector<std::string> messages;  // those that were asked for, in their order
  pop3::ClientOutcome closed;
};

// Logs in; `order` gives the session its orders once that is done (QUIT too); what RETR brings is kept. All references live
// until it is done.
net::Task<FetchResult> Fetch(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, Pop3Server server,
                             const pop3::ClientOptions& options, std::function<void(pop3::ClientSession&)> order);

}  // namespace glasspost::agent
