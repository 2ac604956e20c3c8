#include "net/stream.h"

#include <algorithm>
#include <array>
#include <utility>

#include "net/endpoint.h"

namespace glasspost::net {
namespace {

// What a thread's streams read into, one after the other: none keeps a view of it over a co_await.
struct Scratch {
  std::array<char, StreamLimits::kReadOctets> plain;
  std::array<char, StreamLimits::kReadOctets> records;
};
Scratch& ThreadScratch() {
  thread_local Scratch scratch;
  return scratch;
}

}  // namespace

std::string_view Name(IoStatus status) {
  static constexpr std::string_view kNames[] = {"ok", "end", "truncated", "timed out", "cancelled", "TLS failed", "reset"};
  return kNames[static_cast<int>(status)];
}

Stream::Stream(Socket socket, Side side, Deadlines& deadlines, std::unique_ptr<Tap> tap)
    : socket_(std::move(socket)), deadlines_(deadlines), tap_(std::move(tap)), side_(side) {
  boost::system::error_code error;
  socket_.non_blocking(true, error);
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
  const auto local = socket_.local_endpoint(error);
  if (!error) local_ = FromAsio(local);
  const auto peer = socket_.remote_endpoint(error);
  if (error) {
    status_ = IoStatus::kReset;
  } else {
    peer_ = FromAsio(peer);
  }
  if (tap_) {
    const bool server = side_ == Side::kServer;
    tap_->OnConnect(server ? peer_ : local_, server ? local_ : peer_, clock().Now());
  }
}

Stream::~Stream() { TellClosed(); }

void Stream::TellOctets(Direction direction, Octets octets) {
  if (tap_) tap_->OnOctets(direction, octets, clock().Now());
}

void Stream::TellClosed() {
  if (!tap_ || told_closed_) return;
  told_closed_ = true;
  Closing how = Closing::kByUs;
  if (status_ == IoStatus::kEnd) how = Closing::kByPeer;
  if (status_ == IoStatus::kTruncated || status_ == IoStatus::kReset) how = Closing::kReset;
  if (status_ == IoStatus::kTimedOut) how = Closing::kTimedOut;
  tap_->OnClose(how, clock().Now());
}

IoStatus Stream::Fail(IoStatus status) {
  if (status_ == IoStatus::kOk) status_ = status;
  return status_;
}

IoStatus Stream::FailWith(const boost::system::error_code& error) {
  if (timed_out_) return Fail(IoStatus::kTimedOut);
  if (error == asio::error::operation_aborted) return Fail(IoStatus::kCancelled);
  if (error == asio::error::eof) return Fail(engine_ ? IoStatus::kTruncated : IoStatus::kEnd);
  return Fail(IoStatus::kReset);
}

void Stream::OnDeadline() {
  timed_out_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Stream::Cancel() {
  Fail(IoStatus::kCancelled);
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

void Stream::Interrupt() {
  interrupted_ = true;
  boost::system::error_code ignored;
  socket_.cancel(ignored);
}

Task<IoStatus> Stream::Ready(Wait what, std::chrono::nanoseconds timeout) {
  timed_out_ = false;
  if (what == Wait::kRead && std::exchange(interrupted_, false)) co_return IoStatus::kCancelled;
  Arm(deadlines_, timeout);
  const auto kind = what == Wait::kRead ? Socket::wait_read : Socket::wait_write;
  const auto [error] = co_await socket_.async_wait(kind, kAwait);
  Disarm();
  if (error == asio::error::operation_aborted && interrupted_ && !timed_out_) {
    if (what == Wait::kRead) interrupted_ = false;
    co_return what == Wait::kRead ? IoStatus::kCancelled : IoStatus::kOk;
  }
  if (error) co_return FailWith(error);
  if (status_ == IoStatus::kCancelled && !closing_) co_return status_;
  co_return IoStatus::kOk;
}

IoStatus Stream::Receive(char* at, std::size_t room, std::size_t& got) {
  boost::system::error_code error;
  got = socket_.read_some(asio::buffer(at, room), error);
  drained_ = got < room;
  if (!error) return IoStatus::kOk;
  got = 0;
  if (error == asio::error::would_block || error == asio::error::try_again) return IoStatus::kOk;
  return FailWith(error);
}

Task<ReadResult> Stream::Read(std::chrono::nanoseconds timeout) {
  auto& buffer = ThreadScratch().plain;
  if (!backlog_.empty()) {
    const std::size_t n = backlog_.copy(buffer.data(), buffer.size());
    backlog_.erase(0, n);
    if (backlog_.empty()) std::string().swap(backlog_);
    co_return ReadResult{IoStatus::kOk, Octets(buffer.data(), n)};
  }
  if (status_ != IoStatus::kOk) co_return ReadResult{status_, {}};
  if (engine_) {
    const ReadResult result = co_await ReadTls(timeout);
    co_return result;
  }
  while (true) {
    // After a short read there is nothing more for now: asking the socket again would be a call in vain.
    if (drained_) {
      const IoStatus ready = co_await Ready(Wait::kRead, timeout);
      if (ready != IoStatus::kOk) co_return ReadResult{ready, {}};
    }
    std::size_t got = 0;
    const IoStatus status = Receive(buffer.data(), buffer.size(), got);
    if (status != IoStatus::kOk) co_return ReadResult{status, {}};
    if (got == 0) continue;
    const Octets octets(buffer.data(), got);
    TellOctets(Inward(), octets);
    co_return ReadResult{IoStatus::kOk, octets};
  }
}

Task<ReadResult> Stream::ReadTls(std::chrono::nanoseconds timeout) {
  auto& scratch = ThreadScratch();
  while (true) {
    std::size_t got = 0;
    const TlsEngine::Result result = engine_->Read(scratch.plain.data(), scratch.plain.size(), got);
    engine_->Keep();
    if (result == TlsEngine::Result::kDone && got > 0) {
      const Octets octets(scratch.plain.data(), got);
      TellOctets(Inward(), octets);
      co_return ReadResult{IoStatus::kOk, octets};
    }
    if (result == TlsEngine::Result::kEnd) co_return ReadResult{Fail(IoStatus::kEnd), {}};
    if (!engine_->output().empty()) {  // an alert, or a key update's answer
      const IoStatus sent = co_await SendRecords(timeout);
      if (sent != IoStatus::kOk) co_return ReadResult{sent, {}};
    }
    if (result == TlsEngine::Result::kFailed) co_return ReadResult{Fail(IoStatus::kTlsFailed), {}};
    if (drained_) {
      const IoStatus ready = co_await Ready(Wait::kRead, timeout);
      if (ready != IoStatus::kOk) co_return ReadResult{ready, {}};
    }
    const IoStatus status = Receive(scratch.records.data(), scratch.records.size(), got);
    if (status != IoStatus::kOk) co_return ReadResult{status, {}};
    const Octets records(scratch.records.data(), got);
    if (tap_ && got > 0) tap_->OnRecords(Inward(), records, clock().Now());
    engine_->Feed(records);
  }
}

void Stream::PutBack(Octets rest) {
  if (rest.empty()) return;
  backlog_.insert(0, rest);
}

Task<IoStatus> Stream::Write(Octets octets, std::chrono::nanoseconds timeout) {
  if (status_ != IoStatus::kOk && status_ != IoStatus::kEnd && status_ != IoStatus::kTimedOut) co_return status_;
  const Direction outward = Opposite(Inward());
  if (!engine_) {
    const IoStatus status = co_await Send(octets, outward, false, timeout);
    co_return status;
  }
  while (!octets.empty()) {
    const Octets piece = octets.substr(0, StreamLimits::kWriteOctets);
    octets.remove_prefix(piece.size());
    if (engine_->Write(piece) != TlsEngine::Result::kDone) co_return Fail(IoStatus::kTlsFailed);
    TellOctets(outward, piece);
    const IoStatus status = co_await SendRecords(timeout);
    if (status != IoStatus::kOk) co_return status;
  }
  co_return IoStatus::kOk;
}

Task<IoStatus> Stream::SendRecords(std::chrono::nanoseconds timeout) {
  const IoStatus status = co_await Send(engine_->output(), Opposite(Inward()), true, timeout);
  engine_->ReleaseOutput();
  co_return status;
}

Task<IoStatus> Stream::Send(Octets octets, Direction direction, bool records, std::chrono::nanoseconds timeout) {
  while (!octets.empty()) {
    boost::system::error_code error;
    const std::size_t n = socket_.write_some(asio::buffer(octets.data(), octets.size()), error);
    if (n > 0 && !error) {
      const Octets sent = octets.substr(0, n);
      if (tap_ && records) tap_->OnRecords(direction, sent, clock().Now());
      if (!records) TellOctets(direction, sent);
      octets.remove_prefix(n);
      continue;
    }
    if (error && error != asio::error::would_block && error != asio::error::try_again) co_return FailWith(error);
    const IoStatus ready = co_await Ready(Wait::kWrite, timeout);
    if (ready != IoStatus::kOk) co_return ready;
  }
  co_return IoStatus::kOk;
}

Task<IoStatus> Stream::StartTls(std::shared_ptr<const TlsContext> context, std::string host, std::chrono::nanoseconds timeout) {
  std::string().swap(backlog_);
  if (status_ != IoStatus::kOk) co_return status_;
  const bool later = std::exchange(interrupted_, false);  // it is meant for a Read, not for the handshake
  if (tap_) tap_->OnTlsStart(clock().Now());
  engine_ = std::make_unique<TlsEngine>(std::move(context), host, tap_.get());
  drained_ = false;
  auto& records = ThreadScratch().records;
  const std::int64_t until = clock().Steady() + timeout.count();
  while (true) {
    const TlsEngine::Result result = engine_->Handshake();
    engine_->Keep();
    const std::chrono::nanoseconds left(std::max<std::int64_t>(until - clock().Steady(), 1));
    if (!engine_->output().empty()) {
      const IoStatus sent = co_await SendRecords(left);
      if (sent != IoStatus::kOk) co_return sent;
    }
    if (result == TlsEngine::Result::kDone) break;
    if (result != TlsEngine::Result::kWantsRecords) co_return Fail(IoStatus::kTlsFailed);
    if (drained_) {
      const IoStatus ready = co_await Ready(Wait::kRead, left);
      if (ready != IoStatus::kOk) co_return ready;
    }
    std::size_t got = 0;
    const IoStatus status = Receive(records.data(), records.size(), got);
    if (status != IoStatus::kOk) co_return status;
    if (tap_ && got > 0) tap_->OnRecords(Inward(), Octets(records.data(), got), clock().Now());
    engine_->Feed(Octets(records.data(), got));
  }
  handshaken_ = true;
  interrupted_ |= later;
  if (tap_) tap_->OnTlsEstablished(clock().Now());
  co_return IoStatus::kOk;
}

std::optional<TlsInfo> Stream::tls_info() const {
  if (!engine_ || !handshaken_) return std::nullopt;
  return engine_->Info();
}

Task<void> Stream::Close(std::chrono::nanoseconds timeout) {
  boost::system::error_code ignored;
  if (status_ == IoStatus::kOk || status_ == IoStatus::kEnd || status_ == IoStatus::kTimedOut) {
    closing_ = true;
    if (engine_ && handshaken_) {
      engine_->CloseNotify();
      co_await SendRecords(timeout);
    }
    socket_.shutdown(Socket::shutdown_send, ignored);
    if (status_ == IoStatus::kOk) co_await Drain(timeout);
  }
  TellClosed();
  socket_.close(ignored);
  if (status_ == IoStatus::kEnd) status_ = IoStatus::kCancelled;  // there is no more writing either
  Fail(IoStatus::kCancelled);
}

// A socket that is closed with octets unread resets the connection, and what was sent last may be lost by that.
Task<IoStatus> Stream::Drain(std::chrono::nanoseconds timeout) {
  const std::int64_t until = clock().Steady() + timeout.count();
  std::size_t all = 0;
  boost::system::error_code error;
  while (all < StreamLimits::kLingerOctets) {
    auto& buffer = ThreadScratch().plain;
    const std::size_t got = socket_.read_some(asio::buffer(buffer.data(), buffer.size()), error);
    all += got;
    if (!error) continue;
    if (error != asio::error::would_block && error != asio::error::try_again) break;
    const std::int64_t left = until - clock().Steady();
    if (left <= 0) break;
    Arm(deadlines_, std::chrono::nanoseconds(left));
    const auto [wait_error] = co_await socket_.async_wait(Socket::wait_read, kAwait);
    Disarm();
    if (wait_error) break;
  }
  co_return IoStatus::kOk;
}

Task<Expected<std::unique_ptr<Stream>>> Connect(asio::io_context& context, Deadlines& deadlines, Endpoint to,
                                                std::chrono::nanoseconds timeout, std::unique_ptr<Tap> tap,
                                                std::optional<Address> from) {
  class Limit final : public Deadline {
   public:
    Limit(Socket& socket, Deadlines& limits, std::chrono::nanoseconds in) : socket_(socket) { Arm(limits, in); }
    bool over = false;

   private:
    void OnDeadline() override {
      over = true;
      boost::system::error_code ignored;
      socket_.cancel(ignored);
    }
    Socket& socket_;
  };
  Socket socket(context.get_executor());
  const auto endpoint = ToAsio(to);
  boost::system::error_code error;
  socket.open(endpoint.protocol(), error);
  if (!error && from) socket.bind(ToAsio({*from, 0}), error);
  if (error) co_return Fail("cannot connect: " + error.message(), to.Text());
  bool late = false;
  {
    Limit limit(socket, deadlines, timeout);
    const auto [failed] = co_await socket.async_connect(endpoint, kAwait);
    error = failed;
    late = limit.over;
  }
  if (late) co_return Fail("cannot connect: no answer in time", to.Text());
  if (error) co_return Fail("cannot connect: " + error.message(), to.Text());
  co_return std::make_unique<Stream>(std::move(socket), Side::kClient, deadlines, std::move(tap));
}

}  // namespace glasspost::net
