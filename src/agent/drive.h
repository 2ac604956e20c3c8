// A client session of wire/ over a stream: what the session wants next is done, until it is over or waits for its owner. The
// sessions differ only in how they hand out what is to be sent.
//
//   co_await Begin(stream, session, peer);
//   co_await Drive(stream, session, peer);     again, once a session that waited was given orders (kReady) or octets (kWait)
#pragma once

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "net/stream.h"
#include "wire/imap/client_session.h"
#include "wire/pop3/client_session.h"
#include "wire/smtp/client_session.h"

namespace glasspost::agent {

struct PaceLimits {
  // Octets that buy a second more for a reply that is coming: no line that mail still crosses is slower. Stops a server that
  // drips its octets, each in time.
  static constexpr std::int64_t kOctetsASecond = 100;
};

// How long a reply is waited for: a wait of this length in all (RFC 5321 §4.5.3.2), to which what comes adds what it is worth,
// never more than a whole wait. Only the waiting counts, not what is done with the octets.
class Pace {
 public:
  Pace(const Clock& clock, std::chrono::nanoseconds wait) : clock_(clock), wait_(wait), left_(wait) {}
  // Another reply is due.
  void Restart() { left_ = wait_; }
  // For the wait that begins now; at least a moment, so that what is there already is read.
  std::chrono::nanoseconds Begin() {
    began_ = clock_.Steady();
    return std::max(left_, std::chrono::nanoseconds(std::chrono::milliseconds(1)));
  }
  void Came(std::size_t octets) {
    const std::chrono::nanoseconds waited(clock_.Steady() - began_);
    const auto worth = std::chrono::nanoseconds(std::nano::den / PaceLimits::kOctetsASecond) * static_cast<std::int64_t>(octets);
    left_ = std::min(left_ - std::min(waited, left_) + worth, wait_);
  }

 private:
  const Clock& clock_;
  const std::chrono::nanoseconds wait_;
  std::chrono::nanoseconds left_;
  std::int64_t began_ = 0;
};

struct Peer {
  Endpoint endpoint;
  std::string host;                                              // for the certificate; may be empty without TLS
  bool implicit_tls = false;                                     // port 465, 995
  std::shared_ptr<const net::TlsContext> tls;                    // null: no TLS can begin
  std::chrono::nanoseconds timeout = std::chrono::seconds(300);  // of each wait, and of each reply (Pace)
};

// What is to be sent next, good until Sent; `buffer` may hold it. Empty: nothing.
inline Octets Output(pop3::ClientSession& session, std::string&) { return session.output(); }
inline Octets Output(imap::ClientSession& session, std::string&) { return session.output(); }
inline Octets Output(smtp::ClientSession& session, std::string& buffer) {
  return session.TakeOutput(buffer) ? Octets(buffer) : Octets{};
}
inline void Sent(pop3::ClientSession& session, std::size_t octets) { session.Sent(octets); }
inline void Sent(imap::ClientSession& session, std::size_t octets) { session.Sent(octets); }
inline void Sent(smtp::ClientSession&, std::size_t) {}

// Shakes hands if the session was told that it may. False: it is over.
template <class Session>
net::Task<bool> ShakeHands(net::Stream& stream, Session& session, const Peer& peer) {
  if (!peer.tls) {
    session.TlsFailed("no TLS is set up");
    co_return false;
  }
  const net::IoStatus status = co_await stream.StartTls(peer.tls, peer.host, peer.timeout);
  if (status == net::IoStatus::kOk) co_return true;
  const std::string why = stream.tls_error();
  session.TlsFailed(why.empty() ? net::Name(status) : std::string_view(why));
  co_return false;
}

// With the handshake where TLS comes first. False: it is over.
template <class Session>
net::Task<bool> Begin(net::Stream& stream, Session& session, const Peer& peer) {
  if (peer.implicit_tls) {
    const bool shaken = co_await ShakeHands(stream, session, peer);
    if (!shaken) co_return false;
  }
  session.Start(peer.implicit_tls);
  co_return true;
}

// All references live until it is done.
template <class Session>
net::Task<void> Drive(net::Stream& stream, Session& session, const Peer& peer) {
  using Next = typename Session::Next;
  std::string buffer;
  Pace pace(stream.clock(), peer.timeout);
  std::uint64_t answered = session.answered();
  while (true) {
    const Octets output = Output(session, buffer);
    if (!output.empty()) {
      const net::IoStatus status = co_await stream.Write(output, peer.timeout);
      if (status != net::IoStatus::kOk) co_return session.Closed();
      Sent(session, output.size());
      pace.Restart();
      continue;
    }
    const Next next = session.next();
    if (next == Next::kTls) {
      const bool shaken = co_await ShakeHands(stream, session, peer);
      if (!shaken) co_return;
      session.TlsStarted();
      pace.Restart();
    } else if (next == Next::kRead) {
      const net::ReadResult in = co_await stream.Read(pace.Begin());
      if (in.status == net::IoStatus::kTimedOut) co_return session.TimedOut();
      if (in.status != net::IoStatus::kOk) co_return session.Closed();
      pace.Came(in.octets.size());
      session.Receive(in.octets);
      if (std::exchange(answered, session.answered()) != answered) pace.Restart();
    } else if (next != Next::kWrite) {
      co_return;
    }
  }
}

}  // namespace glasspost::agent
