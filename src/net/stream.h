// A connection as a session sees it: octets in, octets out, time-outs, TLS from the first octet or from the middle, and a tap
// that hears all of it. While it waits it holds no buffers: they belong to the thread, and OpenSSL gives its own back.
//
//   const ReadResult in = co_await stream.Read(timeout);     // in.octets: good until the next co_await of anything
//   stream.PutBack(in.octets.substr(session.Receive(in.octets)));
//   const IoStatus sent = co_await stream.Write(session.output(), timeout);
//
// One operation at a time. All on the thread of its io_context, Cancel() too. The stream outlives its operations. Once one has
// failed so do all that follow, with the same status; only after a Read that ended or timed out last words can be written.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/error.h"
#include "base/octets.h"
#include "base/tap.h"
#include "net/asio.h"
#include "net/deadlines.h"
#include "net/tls_engine.h"

namespace glasspost::net {

enum class IoStatus : std::uint8_t {
  kOk,
  kEnd,        // the peer has no more to say; with TLS, it said close_notify
  kTruncated,  // the peer closed TLS's connection without close_notify: what came last may not be all (RFC 8446 §6.1)
  kTimedOut,
  kCancelled,
  kTlsFailed,
  kReset,  // reset, or another network error
};
std::string_view Name(IoStatus status);

struct ReadResult {
  IoStatus status = IoStatus::kOk;
  Octets octets;  // not empty if kOk
};

// Which side we are: decides the tap's directions, and who begins TLS.
enum class Side : std::uint8_t { kServer, kClient };

struct StreamLimits {
  // Read at once, and so the most that PutBack can have to keep.
  static constexpr std::size_t kReadOctets = std::size_t{32} << 10;
  // Encrypted at once.
  static constexpr std::size_t kWriteOctets = std::size_t{64} << 10;
  // Thrown away at the end, while the peer has not closed yet: stops one that sends on for ever.
  static constexpr std::size_t kLingerOctets = std::size_t{1} << 20;
};

class Stream final : private Deadline {
 public:
  // `deadlines` (of the socket's io_context) outlives it.
  Stream(Socket socket, Side side, Deadlines& deadlines, std::unique_ptr<Tap> tap = nullptr);
  ~Stream() override;  // closes at once; the orderly way is Close
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // At least one octet, or why not. What was put back comes first.
  Task<ReadResult> Read(std::chrono::nanoseconds timeout);
  // What of the last Read was not used. `rest` is copied.
  void PutBack(Octets rest);
  // All of it, or why not. `octets` live until it is done. The timeout is for each time that the peer takes nothing.
  Task<IoStatus> Write(Octets octets, std::chrono::nanoseconds timeout);
  // Drops all that was read and put back, and shakes hands. `host`: of a client, the name it asks for. The timeout is for all of
  // the handshake, however slowly it comes. After a failure tls_error() says why.
  Task<IoStatus> StartTls(std::shared_ptr<const TlsContext> context, std::string host, std::chrono::nanoseconds timeout);
  // Says close_notify, closes our direction, waits for the peer to close his, so that nothing sent last is lost to a reset.
  Task<void> Close(std::chrono::nanoseconds timeout);

  // Ends the operation that waits, and all that come. May be called from within other coroutines of the same thread.
  void Cancel();
  // Ends the Read that waits, or the next one that would, with kCancelled; all else goes on as if it had not been.
  void Interrupt();

  bool tls() const { return engine_ != nullptr; }
  std::optional<TlsInfo> tls_info() const;
  std::string peer_certificate() const { return engine_ ? engine_->PeerCertificate() : std::string(); }  // DER
  std::string tls_error() const { return engine_ ? engine_->error() : std::string(); }
  const Endpoint& local() const { return local_; }
  const Endpoint& peer() const { return peer_; }
  Tap* tap() { return tap_.get(); }
  const Clock& clock() const { return deadlines_.clock(); }
  IoStatus status() const { return status_; }
  // Octets on the heap that belong to it, but for OpenSSL's: for the tests of its bounds.
  std::size_t kept() const { return backlog_.capacity(); }

 private:
  enum class Wait : std::uint8_t { kRead, kWrite };

  void OnDeadline() override;
  // Until the socket can be read or written, or the time is over.
  Task<IoStatus> Ready(Wait what, std::chrono::nanoseconds timeout);
  // What is there now; 0 octets and kOk: nothing.
  IoStatus Receive(char* at, std::size_t room, std::size_t& got);
  Task<IoStatus> Send(Octets octets, Direction direction, bool records, std::chrono::nanoseconds timeout);
  Task<IoStatus> SendRecords(std::chrono::nanoseconds timeout);
  Task<ReadResult> ReadTls(std::chrono::nanoseconds timeout);
  Task<IoStatus> Drain(std::chrono::nanoseconds timeout);
  IoStatus Fail(IoStatus status);
  IoStatus FailWith(const boost::system::error_code& error);
  void TellOctets(Direction direction, Octets octets);
  void TellClosed();
  Direction Inward() const { return side_ == Side::kServer ? Direction::kToServer : Direction::kToClient; }

  Socket socket_;
  Deadlines& deadlines_;
  std::unique_ptr<Tap> tap_;
  std::unique_ptr<TlsEngine> engine_;
  std::string backlog_;
  Endpoint local_;
  Endpoint peer_;
  Side side_;
  IoStatus status_ = IoStatus::kOk;
  bool handshaken_ = false;
  bool drained_ = false;  // the last read took all there was
  bool timed_out_ = false;
  bool interrupted_ = false;
  bool closing_ = false;
  bool told_closed_ = false;
};

// Connects to `to`; the Stream's tap hears it. `from`: our own address (port 0: any), if it matters.
Task<Expected<std::unique_ptr<Stream>>> Connect(asio::io_context& context, Deadlines& deadlines, Endpoint to,
                                                std::chrono::nanoseconds timeout, std::unique_ptr<Tap> tap = nullptr,
                                                std::optional<Address> from = std::nullopt);

}  // namespace glasspost::net
