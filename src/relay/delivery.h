// One SMTP connection to a host of the destination: opened, used for one message or many, closed. smtp::ClientSession decides
// what is said; this is its network, its clock and its TLS.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/randomness.h"
#include "base/tap.h"
#include "net/stream.h"
#include "relay/message_source.h"
#include "relay/options.h"
#include "relay/routing.h"

namespace glasspost::relay {

struct TlsContexts {
  std::shared_ptr<const net::TlsContext> any;       // whoever's certificate it is
  std::shared_ptr<const net::TlsContext> verified;  // it must hold for the host
};

// What all connections share; outlives them.
struct Surroundings {
  net::asio::io_context& context;
  net::Deadlines& deadlines;
  const RelayOptions& options;
  Randomness& randomness;
  TlsContexts tls;
  TapSource* taps = nullptr;  // null: nobody listens
};

// All on one thread; one operation at a time. Outlives its operations.
class Connection final : private smtp::ClientHandler {
 public:
  // `by` and `hop` are copied.
  Connection(Surroundings& surroundings, const NextHop& by, const Hop& hop);
  ~Connection() override;

  // Connects, greets, begins TLS, logs in. False: failure() says why, and the connection is closed. Where TLS is welcome but not
  // required and its handshake fails, a second connection is made without (RFC 7435 §3).
  net::Task<bool> Open();
  // One outcome for each recipient of the message, in their order. `message.source` is `source`. Only while usable().
  net::Task<void> Send(const smtp::ClientMessage& message, StoredMessage& source, std::vector<smtp::Outcome>& outcomes);
  net::Task<void> Close();
  // Ends what is being waited for; outcomes are those of a lost connection.
  void Cancel();

  bool usable() const { return session_ && session_->next() == smtp::ClientSession::Next::kReady; }
  const smtp::Outcome& failure() const { return closed_; }
  const Hop& hop() const { return hop_; }
  std::size_t sent() const { return sent_; }  // messages, whatever became of them
  std::int64_t opened_at() const { return opened_at_; }
  bool tls() const { return session_ && session_->tls(); }
  std::string tls_text() const;  // "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty without TLS
  const smtp::Extensions& extensions() const { return session_->extensions(); }
  std::uint64_t conversation() const { return conversation_; }

 private:
  void OnReady() override {}
  void OnRecipient(std::size_t index, const smtp::Outcome& outcome) override;
  void OnClosed(const smtp::Outcome& outcome) override { closed_ = outcome; }

  net::Task<bool> OpenOnce(TlsPolicy tls);
  // Until the session has nothing to do for now.
  net::Task<void> Pump();
  net::Task<void> PumpRead();
  net::Task<void> PumpTls();
  std::chrono::nanoseconds ReadTimeout() const;
  const std::shared_ptr<const net::TlsContext>& context() const;
  void Fail(std::string_view enhanced, std::string text);

  Surroundings& around_;
  const NextHop by_;
  const Hop hop_;
  smtp::ClientOptions options_;
  std::unique_ptr<net::Stream> stream_;
  std::unique_ptr<smtp::ClientSession> session_;
  std::string output_;
  StoredMessage* source_ = nullptr;
  std::vector<smtp::Outcome>* outcomes_ = nullptr;
  smtp::Outcome closed_;
  std::uint64_t conversation_ = 0;
  std::size_t sent_ = 0;
  std::int64_t opened_at_ = 0;
  bool cancelled_ = false;
};

}  // namespace glasspost::relay
