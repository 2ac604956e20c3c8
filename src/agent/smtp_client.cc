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

  net::Task<void> Run(net::Stream& stream, const SmtpServer& server) {
    if (server.implicit_tls) {
      const net::IoStatus status = co_await stream.StartTls(server.tls, server.host, server.timeout);
      if (status != net::IoStatus::kOk) co_return session_.TlsFailed(stream.tls_error());
    }
    session_.Start(server.implicit_tls);
    bool go_on = true;
    while (go_on) go_on = co_await Step(stream, server);
  }

  SendResult result;

 private:
  using Next = smtp::ClientSession::Next;

  void OnReady() override { sent_ ? session_.Quit() : session_.Send(message_), sent_ = true; }
  void OnRecipient(std::size_t index, const smtp::Outcome& outcome) override { result.recipients[index] = outcome; }
  void OnClosed(const smtp::Outcome& outcome) override { result.closed = outcome; }

  // False: it is over.
  net::Task<bool> Step(net::Stream& stream, const SmtpServer& server) {
    while (session_.TakeOutput(output_)) {
      const net::IoStatus status = co_await stream.Write(output_, server.timeout);
      if (status != net::IoStatus::kOk) {
        session_.Closed();
        co_return false;
      }
    }
    const Next next = session_.next();
    if (next == Next::kClose) co_return false;
    if (next == Next::kTls) {
      net::IoStatus status = net::IoStatus::kTlsFailed;
      if (server.tls) status = co_await stream.StartTls(server.tls, server.host, server.timeout);
      status == net::IoStatus::kOk ? session_.TlsStarted()
                                   : session_.TlsFailed(server.tls ? stream.tls_error() : "no TLS is set up");
      co_return status == net::IoStatus::kOk;
    }
    if (next != Next::kRead) co_return true;
    const net::ReadResult in = co_await stream.Read(server.timeout);
    if (in.status == net::IoStatus::kOk) {
      session_.Receive(in.octets);
    } else {
      in.status == net::IoStatus::kTimedOut ? session_.TimedOut() : session_.Closed();
    }
    co_return in.status == net::IoStatus::kOk;
  }

  smtp::ClientSession session_;
  const smtp::ClientMessage& message_;
  std::string output_;
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

net::Task<SendResult> Send(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, SmtpServer server,
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
