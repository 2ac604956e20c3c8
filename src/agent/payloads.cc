#include "agent/payloads.h"

#include <algorithm>
#include <memory>

#include "net/endpoint.h"
#include "net/system_clock.h"

namespace glasspost::agent {
namespace {

constexpr std::chrono::hours kLong(1);  // of a Read that something else ends

// What there is within `wait`; kCancelled: nothing came, and the stream goes on.
net::Task<net::ReadResult> ReadFor(net::asio::io_context& context, net::Stream& stream, std::chrono::milliseconds wait) {
  net::Timer timer(context.get_executor());
  const auto waiting = std::make_shared<bool>(true);
  timer.expires_after(wait);
  timer.async_wait([&stream, waiting](const boost::system::error_code& error) {
    if (!error && *waiting) stream.Interrupt();
  });
  const net::ReadResult in = co_await stream.Read(kLong);
  *waiting = false;
  co_return in;
}

// Until it is quiet.
net::Task<net::IoStatus> ReadReply(net::asio::io_context& context, net::Stream& stream, std::chrono::milliseconds wait,
                                   std::string& reply) {
  while (reply.size() < PayloadLimits::kReply) {
    const net::ReadResult in = co_await ReadFor(context, stream, reply.empty() ? wait : PayloadLimits::kQuiet);
    if (in.status == net::IoStatus::kCancelled) co_return net::IoStatus::kOk;
    if (in.status != net::IoStatus::kOk) co_return in.status;
    reply += in.octets.substr(0, PayloadLimits::kReply - reply.size());
  }
  co_return net::IoStatus::kOk;
}

net::Task<void> Pause(net::asio::io_context& context, std::chrono::milliseconds time) {
  if (time.count() == 0) co_return;
  net::Timer timer(context.get_executor());
  timer.expires_after(time);
  co_await timer.async_wait(net::kAwait);
}

}  // namespace

net::Task<PayloadReplies> SendPayloads(net::asio::io_context& context, net::Stream& stream,
                                       const std::vector<std::string>& payloads, PayloadOptions options) {
  PayloadReplies out;
  if (options.greeted) out.status = co_await ReadReply(context, stream, options.wait, out.greeting);
  for (const std::string& payload : payloads) {
    if (out.status != net::IoStatus::kOk) break;
    if (!out.replies.empty()) co_await Pause(context, options.interval);
    out.status = co_await stream.Write(payload, options.wait);
    if (out.status != net::IoStatus::kOk) break;
    std::string& reply = out.replies.emplace_back();
    out.status = co_await ReadReply(context, stream, options.wait, reply);
  }
  co_await stream.Close(PayloadLimits::kClose);
  co_return out;
}

net::Task<Expected<DatagramReplies>> SendDatagrams(net::asio::io_context& context, Endpoint to,
                                                   const std::vector<std::string>& payloads, PayloadOptions options) {
  constexpr std::size_t kDatagram = 65'535;
  struct Sockets {
    explicit Sockets(net::asio::io_context& c) : socket(c.get_executor()), timer(c.get_executor()) {}
    net::UdpSocket socket;
    net::Timer timer;
  };
  // Shared with the timer's handler, which may come later than the one who waits.
  const auto s = std::make_shared<Sockets>(context);
  const auto peer = net::ToAsioUdp(to);
  boost::system::error_code error;
  s->socket.open(peer.protocol(), error);
  if (!error) s->socket.connect(peer, error);
  DatagramReplies out;
  if (!error) out.local = net::FromAsio(s->socket.local_endpoint(error));
  const Clock& clock = net::SystemClock();
  std::string buffer(kDatagram, '\0');
  for (const std::string& payload : payloads) {
    if (error) break;
    if (!out.datagrams.empty()) co_await Pause(context, options.interval);
    Datagram& d = out.datagrams.emplace_back();
    d.sent = clock.Now();
    const auto sent = co_await s->socket.async_send(net::asio::buffer(payload), net::kAwait);
    error = std::get<0>(sent);
    if (error) break;
    s->timer.expires_after(options.wait);
    s->timer.async_wait([s](const boost::system::error_code& ended) {
      boost::system::error_code ignored;
      if (!ended && s->timer.expiry() <= std::chrono::steady_clock::now()) s->socket.cancel(ignored);
    });
    const auto [failed, size] = co_await s->socket.async_receive(net::asio::buffer(buffer), net::kAwait);
    s->timer.cancel();
    if (failed == net::asio::error::operation_aborted) continue;
    error = failed;
    if (error) break;
    d.received = clock.Now();
    d.reply.assign(buffer, 0, size);
  }
  if (error == net::asio::error::connection_refused) co_return Fail("nobody listens there (connection refused)", to.Text());
  if (error) co_return Fail(error.message(), to.Text());
  co_return out;
}

}  // namespace glasspost::agent
