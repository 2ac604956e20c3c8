#include "agent/smtp_client.h"

#include <algorithm>
#include <utility>

#include "agent/login_secrets.h"

namespace glasspost::agent {
namespace {

class Sending final : public smtp::ClientHandler {
 public:
  Sending(const smtp::ClientOptions& options, Randomness& randomness, Outbox& outbox)
      : session_(*this, options, randomness), outbox_(outbox), secrets_(SecretsOf(options.credentials)) {}

  net::Task<smtp::Outcome> Run(net::Stream& stream, const Peer& server) {
    const bool begun = co_await Begin(stream, session_, server);
    if (begun) co_await Drive(stream, session_, server);
    if (message_ != nullptr) HandBack();
    co_return closed_;
  }

 private:
  void OnReady() override {
    if (message_ != nullptr) HandBack();
    if (!std::exchange(opened_, true)) outbox_.Opened(session_.extensions());
    message_ = outbox_.Next();
    if (message_ == nullptr) return session_.Quit();
    outcomes_.assign(message_->recipients.size(), smtp::Outcome());
    session_.Send(*message_);
  }
  void OnRecipient(std::size_t index, const smtp::Outcome& outcome) override { outcomes_[index] = Told(outcome); }
  void OnClosed(const smtp::Outcome& outcome) override { closed_ = Told(outcome); }
  smtp::Outcome Told(smtp::Outcome outcome) const {
    if (!outcome.local) secrets_.Redact(outcome.text);
    return outcome;
  }

  void HandBack() {
    message_ = nullptr;
    outbox_.Sent(std::exchange(outcomes_, {}));
  }

  smtp::ClientSession session_;
  Outbox& outbox_;
  const Secrets secrets_;
  const smtp::ClientMessage* message_ = nullptr;  // that is being sent
  std::vector<smtp::Outcome> outcomes_;
  smtp::Outcome closed_;
  bool opened_ = false;
};

// One message, whose outcome is kept.
class Single final : public Outbox {
 public:
  explicit Single(const smtp::ClientMessage& message) : message_(&message) {}
  void Opened(const smtp::Extensions& extensions) override { reports_ = extensions.dsn; }
  const smtp::ClientMessage* Next() override { return std::exchange(message_, nullptr); }
  void Sent(std::vector<smtp::Outcome> outcomes) override { outcomes_ = std::move(outcomes); }
  // `closed`: what its recipients get if it was never begun.
  SendResult Result(const smtp::Outcome& closed) {
    if (message_ != nullptr) outcomes_.assign(message_->recipients.size(), closed);
    return {std::move(outcomes_), closed, reports_};
  }

 private:
  const smtp::ClientMessage* message_;
  std::vector<smtp::Outcome> outcomes_;
  bool reports_ = true;
};

}  // namespace

smtp::MessageSource::Piece TextSource::Read() {
  const Octets piece = std::exchange(rest_, {});
  return {piece.empty() ? Piece::Kind::kEnd : Piece::Kind::kOctets, piece};
}

bool SendResult::accepted() const {
  return std::ranges::all_of(recipients, [](const smtp::Outcome& o) { return o.kind == smtp::Outcome::Kind::kAccepted; });
}

net::Task<smtp::Outcome> SendOver(net::Stream& stream, const Peer& server, Randomness& randomness,
                                  const smtp::ClientOptions& options, Outbox& outbox) {
  Sending sending(options, randomness, outbox);
  smtp::Outcome closed = co_await sending.Run(stream, server);
  co_await stream.Close(std::chrono::seconds(5));
  co_return closed;
}

net::Task<SendResult> SendOver(net::Stream& stream, const Peer& server, Randomness& randomness,
                               const smtp::ClientOptions& options, const smtp::ClientMessage& message) {
  Single single(message);
  const smtp::Outcome closed = co_await SendOver(stream, server, randomness, options, single);
  co_return single.Result(closed);
}

net::Task<SendResult> Send(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, Peer server,
                           const smtp::ClientOptions& options, const smtp::ClientMessage& message, std::unique_ptr<Tap> tap) {
  auto stream = co_await net::Connect(context, deadlines, server.endpoint, server.timeout, std::move(tap));
  if (!stream) {
    smtp::Outcome failed;
    failed.local = true;
    failed.text = stream.error().Text();
    co_return SendResult{std::vector(message.recipients.size(), failed), failed, true};
  }
  SendResult result = co_await SendOver(**stream, server, randomness, options, message);
  co_return result;
}

}  // namespace glasspost::agent
