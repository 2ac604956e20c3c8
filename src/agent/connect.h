// A connection to a server that has a name: its addresses are tried one after the other.
#pragma once

#include <functional>
#include <memory>

#include "agent/account.h"
#include "agent/drive.h"
#include "agent/login.h"

namespace glasspost::agent {

struct Connected {
  std::unique_ptr<net::Stream> stream;
  Peer peer;  // with the address that was reached
};

// `tap` makes the one that hears the connection that succeeds (null: nobody listens). The error says why the last address did not
// answer, or that there is none.
net::Task<Expected<Connected>> ConnectTo(const Network& network, ServerAddress server, std::shared_ptr<const net::TlsContext> tls,
                                         TrialLimits limits, std::function<std::unique_ptr<Tap>()> tap);

}  // namespace glasspost::agent
