// Sends one message to an SMTP server: the client session of wire/smtp over a stream.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/drive.h"
#include "base/randomness.h"
#include "base/tap.h"

namespace glasspost::agent {

// A message that lies in memory whole.
class TextSource final : public smtp::MessageSource {
 public:
  explicit TextSource(Octets text) : rest_(text) {}
  Piece Read() override;

 private:
  Octets rest_;
};

struct SendResult {
  std::vector<smtp::Outcome> recipients;  // one each, in the message's order
  smtp::Outcome closed;                   // how the connection ended
  bool accepted() const;                  // by all of them
};

// Over a connection that was just made. All references live until it is done.
net::Task<SendResult> SendOver(net::Stream& stream, const Peer& server, Randomness& randomness,
                               const smtp::ClientOptions& options, const smtp::ClientMessage& message);
// The connection, too.
net::Task<SendResult> Send(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, Peer server,
                           const smtp::ClientOptions& options, const smtp::ClientMessage& message,
                           std::unique_ptr<Tap> tap = nullptr);

}  // namespace glasspost::agent
