#include "relay/delivery.h"

#include <utility>

namespace glasspost::relay {
namespace {

using Next = smtp::ClientSession::Next;
using smtp::Stage;

smtp::ClientOptions::Tls PolicyOf(TlsPolicy policy) {
  using Tls = smtp::ClientOptions::Tls;
  return policy == TlsPolicy::kNever ? Tls::kNever : policy == TlsPolicy::kRequired ? Tls::kRequired : Tls::kIfOffered;
}

}  // namespace

Connection::Connection(Surroundings& surroundings, const NextHop& by, const Hop& hop)
    : around_(surroundings), by_(by), hop_(hop) {
  options_.host = around_.options.host;
  options_.pipelining = around_.options.pipelining;
  options_.chunking = around_.options.chunking;
  options_.passwords_without_tls = by_.passwords_without_tls;
  if (!by_.credentials.user.empty()) options_.credentials = &by_.credentials;
}

Connection::~Connection() = default;

const std::shared_ptr<const net::TlsContext>& Connection::context() const {
  return by_.verify ? around_.tls.verified : around_.tls.any;
}

std::string Connection::tls_text() const {
  const std::optional<net::TlsInfo> info = stream_ ? stream_->tls_info() : std::nullopt;
  return info ? info->version + " " + info->cipher : std::string();
}

void Connection::Fail(std::string_view enhanced, std::string text) {
  closed_ = {.kind = smtp::Outcome::Kind::kDeferred,
             .stage = Stage::kGreeting,
             .local = true,
             .in_doubt = false,
             .code = 451,
             .enhanced = std::string(enhanced),
             .text = std::move(text)};
}

net::Task<bool> Connection::Open() {
  const TlsPolicy policy = by_.verify && by_.tls != TlsPolicy::kNever ? TlsPolicy::kRequired : by_.tls;
  const bool open = co_await OpenOnce(policy);
  if (open || cancelled_) co_return open;
  const bool handshake = closed_.local && closed_.stage == Stage::kStartTls && closed_.enhanced == "4.7.5";
  if (!handshake || policy != TlsPolicy::kIfOffered || by_.implicit_tls) co_return false;
  const bool plain = co_await OpenOnce(TlsPolicy::kNever);
  co_return plain;
}

net::Task<bool> Connection::OpenOnce(TlsPolicy tls) {
  session_.reset();
  std::unique_ptr<Tap> tap = around_.taps != nullptr ? around_.taps->NewTap() : nullptr;
  conversation_ = tap ? tap->conversation() : 0;
  auto connected =
      co_await net::Connect(around_.context, around_.deadlines, hop_.endpoint, around_.options.timeouts.connect, std::move(tap));
  if (!connected) {
    Fail("4.4.1", connected.error().Text());
    co_return false;
  }
  stream_ = std::move(*connected);
  opened_at_ = around_.deadlines.clock().Steady();
  if (cancelled_) stream_->Cancel();
  options_.tls = PolicyOf(tls);
  session_ = std::make_unique<smtp::ClientSession>(static_cast<smtp::ClientHandler&>(*this), options_, around_.randomness);
  bool started = true;
  if (by_.implicit_tls) {
    const net::IoStatus status = co_await stream_->StartTls(context(), hop_.host, around_.options.timeouts.command);
    started = status == net::IoStatus::kOk;
    if (!started) Fail("4.7.5", "TLS handshake failed: " + stream_->tls_error());
  }
  if (started) {
    session_->Start(by_.implicit_tls);
    co_await Pump();
  }
  if (usable()) co_return true;
  co_await Close();
  co_return false;
}

std::chrono::nanoseconds Connection::ReadTimeout() const {
  const Timeouts& t = around_.options.timeouts;
  switch (session_->stage()) {
    case Stage::kGreeting:
      return t.greeting;
    case Stage::kData:
      return t.data_start;
    case Stage::kContent:
      return t.data_block;
    case Stage::kContentEnd:
      return t.data_end;
    case Stage::kQuit:
      return t.quit;
    default:
      return t.command;
  }
}

net::Task<void> Connection::PumpRead() {
  const net::ReadResult in = co_await stream_->Read(ReadTimeout());
  if (in.status == net::IoStatus::kOk) {
    session_->Receive(in.octets);
  } else if (in.status == net::IoStatus::kTimedOut) {
    session_->TimedOut();
  } else {
    session_->Closed();
  }
}

net::Task<void> Connection::PumpTls() {
  const net::IoStatus status = co_await stream_->StartTls(context(), hop_.host, around_.options.timeouts.command);
  if (status == net::IoStatus::kOk) {
    session_->TlsStarted();
  } else {
    const std::string why = stream_->tls_error();
    session_->TlsFailed(why.empty() ? net::Name(status) : why);
  }
}

net::Task<void> Connection::Pump() {
  while (true) {
    switch (session_->next()) {
      case Next::kWrite: {
        // Content too is drawn here, so that a slow reader costs no more memory than one output buffer.
        if (!session_->TakeOutput(output_)) break;
        const bool content = session_->stage() == Stage::kContent || session_->stage() == Stage::kContentEnd;
        const Timeouts& t = around_.options.timeouts;
        const net::IoStatus status = co_await stream_->Write(output_, content ? t.data_block : t.command);
        if (status == net::IoStatus::kTimedOut) {
          session_->TimedOut();
        } else if (status != net::IoStatus::kOk) {
          session_->Closed();
        }
        break;
      }
      case Next::kRead:
        co_await PumpRead();
        break;
      case Next::kTls:
        co_await PumpTls();
        break;
      case Next::kWait:
        co_await source_->Fetch();
        session_->Resume();
        break;
      case Next::kReady:
      case Next::kClose:
        co_return;
    }
  }
}

void Connection::OnRecipient(std::size_t index, const smtp::Outcome& outcome) { (*outcomes_)[index] = outcome; }

net::Task<void> Connection::Send(const smtp::ClientMessage& message, StoredMessage& source,
                                 std::vector<smtp::Outcome>& outcomes) {
  outcomes.assign(message.recipients.size(), {});
  outcomes_ = &outcomes;
  source_ = &source;
  session_->Send(message);
  co_await Pump();
  ++sent_;
  outcomes_ = nullptr;
  source_ = nullptr;
  if (output_.capacity() > StoredMessage::kPiece / 4) std::string().swap(output_);  // an idle connection keeps no buffer
}

net::Task<void> Connection::Close() {
  if (!stream_) co_return;
  if (usable() && !cancelled_) {
    session_->Quit();
    co_await Pump();
  }
  co_await stream_->Close(around_.options.timeouts.quit);
}

void Connection::Cancel() {
  cancelled_ = true;
  if (stream_) stream_->Cancel();
}

}  // namespace glasspost::relay
