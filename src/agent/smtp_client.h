// Sends messages to an SMTP server, one after the other over one connection: the client session of wire/smtp over a stream.
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

// What there is to send. Called on the thread of the connection; outlives it.
class Outbox {
 public:
  virtual ~Outbox() = default;
  // Before the first message: what the server offers.
  virtual void Opened(const smtp::Extensions&) {}
  // The next message, good until Sent; null: there is none, the connection ends with QUIT.
  virtual const smtp::ClientMessage* Next() = 0;
  // What became of it, one outcome each recipient, in the message's order.
  virtual void Sent(std::vector<smtp::Outcome> outcomes) = 0;
};

// Over a connection that was just made, until nothing is left or it ends: the outcome says how. All references live until it is
// done.
net::Task<smtp::Outcome> SendOver(net::Stream& stream, const Peer& server, Randomness& randomness,
                                  const smtp::ClientOptions& options, Outbox& outbox);

// One message and its connection's end.
struct SendResult {
  std::vector<smtp::Outcome> recipients;  // one each, in the message's order
  smtp::Outcome closed;                   // how the connection ended
  bool reports = true;                    // the server takes what is asked of reports (DSN), as far as is known
  bool accepted() const;                  // by all of them
};

net::Task<SendResult> SendOver(net::Stream& stream, const Peer& server, Randomness& randomness,
                               const smtp::ClientOptions& options, const smtp::ClientMessage& message);
// The connection, too.
net::Task<SendResult> Send(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, Peer server,
                           const smtp::ClientOptions& options, const smtp::ClientMessage& message,
                           std::unique_ptr<Tap> tap = nullptr);

}  // namespace glasspost::agent
