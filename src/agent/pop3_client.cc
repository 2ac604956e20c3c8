#include "agent/pop3_client.h"

namespace glasspost::agent {
namespace {

class Fetching final : public pop3::ClientHandler {
 public:
  Fetching(const pop3::ClientOptions& options, Randomness& randomness, std::function<void(pop3::ClientSession&)> order)
      : session_(*this, options, randomness), order_(std::move(order)) {}

  net::Task<void> Run(net::Stream& stream, const Pop3Server& server) {
    if (server.implicit_tls) {
      const net::IoStatus status = co_await stream.StartTls(server.tls, server.host, server.timeout);
      if (status != net::IoStatus::kOk) co_return session_.TlsFailed(stream.tls_error());
    }
    session_.Start(server.implicit_tls);
    bool go_on = true;
    while (go_on) go_on = co_await Step(stream, server);
  }

  FetchResult result;

 private:
  using Next = pop3::ClientSession::Next;

  void OnReady() override { order_(session_); }
  void OnReply(pop3::Command command, std::uint64_t, const pop3::StatusLine& reply) override {
    if (command == pop3::Command::kRetr && reply.status == pop3::Status::kOk) result.messages.emplace_back();
  }
  void OnListed(pop3::Command, const pop3::ListingLine&) override {}
  void OnMessageOctets(Octets octets) override {
    if (!result.messages.empty()) result.messages.back() += octets;
  }
  void OnEnd(pop3::Command, std::uint64_t) override {}
  void OnClosed(const pop3::ClientOutcome& outcome) override { result.closed = outcome; }

  // False: it is over.
  net::Task<bool> Step(net::Stream& stream, const Pop3Server& server) {
    const Next next = session_.next();
    if (next == Next::kClose) co_return false;
    if (next == Next::kWrite) {
      const std::size_t n = session_.output().size();
      const net::IoStatus status = co_await stream.Write(session_.output(), server.timeout);
      status == net::IoStatus::kOk ? session_.Sent(n) : session_.Closed();
      co_return status == net::IoStatus::kOk;
    }
    if (next == Next::kTls) {
      net::IoStatus status = net::IoStatus::kTlsFailed;
      if (server.tls) status = co_await stream.StartTls(server.tls, server.host, server.timeout);
      status == net::IoStatus::kOk ? session_.TlsStarted()
                                   : session_.TlsFailed(server.tls ? stream.tls_error() : "no TLS is set up");
      co_return status == net::IoStatus::kOk;
    }
    const net::ReadResult in = co_await stream.Read(server.timeout);
    if (in.status == net::IoStatus::kOk) {
      session_.Receive(in.octets);
    } else {
      in.status == net::IoStatus::kTimedOut ? session_.TimedOut() : session_.Closed();
    }
    co_return in.status == net::IoStatus::kOk;
  }

  pop3::ClientSession session_;
  std::function<void(pop3::ClientSession&)> order_;
};

}  // namespace

net::Task<FetchResult> Fetch(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, Pop3Server server,
                             const pop3::ClientOptions& options, std::function<void(pop3::ClientSession&)> order) {
  Fetching fetching(options, randomness, std::move(order));
  auto stream = co_await net::Connect(context, deadlines, server.endpoint, server.timeout);
  if (!stream) {
    fetching.result.closed.text = stream.error().Text();
    co_return std::move(fetching.result);
  }
  co_await fetching.Run(**stream, server);
  co_await (*stream)->Close(std::chrono::seconds(5));
  co_return std::move(fetching.result);
}

}  // namespace glasspost::agent
