// Sends one message to an SMTP server: the client session of wire/smtp over a stream.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "base/randomness.h"
#include "base/tap.h"
#include "net/stream.h"
#include "wire/smtp/client_session.h"

namespace glasspost::agent {

// A message that lies in memory whole.
class TextSource final : public smtp::MessageSource {
 public:
  explicit TextSource(Octets text) : rest_(text) {}
  Piece Read() override;

 private:
  Octets rest_;
};

struct SmtpServer {
  Endpoint endpoint;
  std::string host;                            // for the certificate; may be empty without TLS
  bool implicit_tls = false;                   // port 465
  std::shared_ptr<const net::TlsContext> tls;  // null: no TLS can begin
  std::chrono::seconds timeout{300};           // of each wait
};

struct SendResult {
  std::vector<smtp::Outcome> recipients;  // one each, in the message's order
  smtp::Outcome closed;                   // how the connection ended
  bool accepted() const;                  // by all of them
};

// All references live until it is done.
net::Task<SendResult> Send(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, SmtpServer server,
                           const smtp::ClientOptions& options, const smtp::ClientMessage& message,
                           std::unique_ptr<Tap> tap = nullptr);

}  // namespace glasspost::agent
