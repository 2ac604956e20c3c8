// Tries a server: connects, starts TLS, logs in where there are credentials, and goes. Nothing is fetched, sent or deleted.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "agent/account.h"
#include "base/randomness.h"
#include "net/resolver.h"
#include "net/stream.h"

namespace glasspost::agent {

// What every conversation over the network needs. All of it outlives those who use it; one thread.
struct Network {
  net::asio::io_context& context;
  net::Deadlines& deadlines;
  net::Resolver& resolver;
  Randomness& randomness;
};

struct TrialLimits {
  static constexpr std::size_t kAddresses = 4;  // of a host, that are tried
  std::chrono::nanoseconds connect = std::chrono::seconds(10);
  std::chrono::nanoseconds wait = std::chrono::seconds(30);  // for each answer
};

struct Trial {
  enum class Result : std::uint8_t {
    kOk,
    kUnreachable,   // no address, nobody listens, the connection was lost
    kTlsFailed,     // no TLS there, or its certificate is no good
    kLoginRefused,  // name or password is wrong, or this way to log in is not let through
    kRefused,       // anything else that the server, or what it says, does not allow
  };
  Result result = Result::kUnreachable;
  std::string text;  // the server's words, or what is wrong; after kOk the server's last words, or empty
  bool own_words = false;
  std::string address;         // that was reached
  std::string tls;             // "TLSv1.3"; empty: none
  std::uint64_t messages = 0;  // of POP3, after kOk with credentials
  bool ok() const { return result == Result::kOk; }
};
std::string_view Name(Trial::Result result);  // "ok", "unreachable", …

// `credentials` null: it is a server of that kind with TLS, more is not asked. Passwords travel without TLS only where the
// server's TlsKind is none. Not of IMAP, which has no client here: kRefused. `server` and `credentials` outlive it.
net::Task<Trial> Try(const Network& network, Service service, const ServerAddress& server,
                     std::shared_ptr<const net::TlsContext> tls, const sasl::Credentials* credentials,
                     const TrialLimits& limits = {});

}  // namespace glasspost::agent
