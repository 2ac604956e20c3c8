// One POP3 connection of the server: net's stream, the session of wire/pop3, the store's maildrop, put together in one coroutine
// (RFC 1939, 2449, 2595, 3206, 5034, 6856, 8314 for implicit TLS). It ends with QUIT, at the autologout, with the connection, or
// when the server stops; but for QUIT nothing is deleted.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/randomness.h"
#include "base/tap.h"
#include "net/admissions.h"
#include "net/asio.h"
#include "net/tls_context.h"
#include "server/authenticator.h"
#include "server/events.h"
#include "server/sessions.h"
#include "store/store.h"
#include "wire/pop3/server_session.h"

namespace glasspost::server {

// Of a server, for all connections of all threads; outlives them.
struct Pop3Services {
  store::Store& store;
  Authenticator& authenticator;
  Randomness& randomness;  // for any thread
  const net::ReloadableTls* tls = nullptr;
  // Of this program, while it runs, among all that share the store: maildrops are locked in its name.
  std::string lease_owner;
  Events* events = nullptr;  // null: nobody is told
};

// What a reload may change: a connection keeps those it began with.
struct Pop3Settings {
  pop3::ServerOptions protocol;
  std::chrono::seconds autologout{pop3::kAutologoutSeconds};  // since the last command (RFC 1939 §3)
  std::chrono::seconds write{300};                            // in which the client takes nothing of what it is sent
  std::chrono::seconds handshake{60};                         // of TLS, all of it
  std::chrono::seconds close{10};                             // for the client to close too
};

struct Pop3Arrival {
  net::Socket socket;  // of the worker's io_context
  net::Admissions::Place place;
  bool implicit_tls = false;
  std::unique_ptr<Tap> tap = nullptr;
  std::uint64_t conversation = 0;  // 0: none is kept
};

// Runs it to its end. On the worker's thread.
void ServePop3(const Worker& worker, Pop3Services& services, std::shared_ptr<const Pop3Settings> settings, Pop3Arrival arrival);

}  // namespace glasspost::server
