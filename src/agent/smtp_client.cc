#include "agent/smtp_client.h"

#include <algorithm>

namespace glasspost::agent {
namespace {

class Sending final : public smtp::ClientHandler {
 public:
  Sending(const smtp::ClientOptions& options, Randomness& randomness, const smtp::ClientMessage& message)
      : session_(*this, options, randomness), message_(message) {
    result.recipients.resize(message.recipients.size());
  }

  net::Task<void> Run(net::Stream& stream, const Peer& server) {
    const bool begun = co_await Begin(stream, session_, server);
    if (begun) co_await Drive(stream, session_, server);
  }

  SendResult result;

 private:
  void OnReady() override { sent_ ? session_.Quit() : session_.Send(message_), sent_ = true; }
  void OnRecipient(std::size_t index, const smtp::Outcome& outcome) override { result.recipients[index] = outcome; }
  void OnClosed(const smtp::Outcome& outcome) override { result.closed = outcome; }

  smtp::ClientSession session_;
  const smtp::ClientMessage& message_;
  bool sent_ = false;
};

}  // namespace

smtp::MessageSource::Piece TextSource::Read() {
  const Octets piece = std::exchange(rest_, {});
  return {piece.empty() ? Piece::Kind::kEnd : Piece::Kind::kOctets, piece};
}

bool SendResult::accepted() const {
  return std::ranges::all_of(recipients, [](const smtp::Outcome& o) { return o.kind == smtp::Outcome::Kind::kAccepted; });
}

net::Task<SendResult> SendOver(net::Stream& stream, const Peer& server, Randomness& randomness,
                               const smtp::ClientOptions& options, const smtp::ClientMessage& message) {
  Sending sending(options, randomness, message);
  co_await sending.Run(stream, server);
  co_await stream.Close(std::chrono::seconds(5));
  co_return std::move(sending.result);
}

net::Task<SendResult> Send(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, Peer server,
                           const smtp::ClientOptions& options, const smtp::ClientMessage& message, std::unique_ptr<Tap> tap) {
  auto stream = co_await net::Connect(context, deadlines, server.endpoint, server.timeout, std::move(tap));
  if (stream) {
    SendResult sent = co_await SendOver(**stream, server, randomness, options, message);
    co_return sent;
  }
  SendResult failed;
  failed.closed.local = true;
  failed.closed.text = stream.error().Text();
  failed.recipients.assign(message.recipients.size(), failed.closed);
  co_return failed;
}

}  // namespace glasspost::agent
