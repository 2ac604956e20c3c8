#include "agent/pop3_client.h"

namespace glasspost::agent {
namespace {

class Fetching final : public pop3::ClientHandler {
 public:
  Fetching(const pop3::ClientOptions& options, Randomness& randomness, std::function<void(pop3::ClientSession&)> order)
      : session_(*this, options, randomness), order_(std::move(order)) {}

  net::Task<void> Run(net::Stream& stream, const Peer& server) {
    const bool begun = co_await Begin(stream, session_, server);
    if (begun) co_await Drive(stream, session_, server);
  }

  FetchResult result;

 private:
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

  pop3::ClientSession session_;
  std::function<void(pop3::ClientSession&)> order_;
};

}  // namespace

net::Task<FetchResult> Fetch(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, Peer server,
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
