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

net::Task<SendResult> Send(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, Peer server,
                           const smtp::ClientOptions& options, const smtp::ClientMessage& message, std::unique_ptr<Tap> tap) {
  Sending sending(options, randomness, message);
  auto stream = co_await net::Connect(context, deadlines, server.endpoint, server.timeout, std::move(tap));
  if (!stream) {
    smtp::Outcome lost;
    lost.local = true;
    lost.text = stream.error().Text();
    sending.result.closed = lost;
    std::ranges::fill(sending.result.recipients, lost);
    co_return std::move(sending.result);
  }
  co_await sending.Run(**stream, server);
  co_await (*stream)->Close(std::chrono::seconds(5));
  co_return std::move(sending.result);
}

}  // namespace glasspost::agent
