#include "agent/payloads.h"

#include <algorithm>
#include <memory>

#include "net/endpoint.h"
#include "net/system_clock.h"

namespace glasspost::agent {
namespace {

constexpr std::chrono::hours kLong(1);  // of a Read that something else ends

// What there is within `wait`; kCancelled: nothing came, and the stream goes on.
net::Task<net::ReadResult> ReadFor(net::asio::io_context& context, net::Stream& stream, std::chrono::nanoseconds wait) {
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

// Until it is whole, or nothing comes in time.
net::Task<net::IoStatus> ReadReply(net::asio::io_context& context, net::Stream& stream, AnswerEnd& end,
                                   std::chrono::milliseconds wait, PayloadAnswer& answer) {
  const std::int64_t until = stream.clock().Steady() + PayloadLimits::kWaits * std::chrono::nanoseconds(wait).count();
  std::uint64_t came = 0;
  for (;;) {
    const Due due = end.Expects(answer.reply);
    answer.due &= due != Due::kNothing || came > 0;
    const std::size_t most = due == Due::kAnswer ? PayloadLimits::kAnswer : PayloadLimits::kReply;
    if (due == Due::kNothing || came >= most) co_return net::IoStatus::kOk;
    std::chrono::nanoseconds patience = due == Due::kAnswer || came == 0 ? wait : PayloadLimits::kQuiet;
    patience = std::min(patience, std::chrono::nanoseconds(until - stream.clock().Steady()));
    if (patience.count() < 0) co_return net::IoStatus::kOk;
    const net::ReadResult in = co_await ReadFor(context, stream, patience);
    if (in.status == net::IoStatus::kCancelled) co_return net::IoStatus::kOk;
    if (in.status != net::IoStatus::kOk) co_return in.status;
    if (came == 0) answer.received = net::SystemClock().Now();
    came += in.octets.size();
    answer.reply += in.octets.substr(0, PayloadLimits::kReply - answer.reply.size());
  }
}

net::Task<void> Pause(net::asio::io_context& context, std::chrono::milliseconds time) {
  if (time.count() == 0) co_return;
  net::Timer timer(context.get_executor());
  timer.expires_after(time);
  co_await timer.async_wait(net::kAwait);
}

// A UDP socket with a time-out. Shared with the timer's handler, which may come later than the one who waits.
struct Sockets {
  explicit Sockets(net::asio::io_context& c) : socket(c.get_executor()), timer(c.get_executor()) {}
  net::UdpSocket socket;
  net::Timer timer;
  std::string buffer = std::string(65'535, '\0');
};

// What came before the payload was sent is no answer to it.
void PassOver(Sockets& s) {
  boost::system::error_code ignored;
  for (int i = 0; i < PayloadLimits::kPassedOver && s.socket.available(ignored) > 0; ++i)
    s.socket.receive(net::asio::buffer(s.buffer), 0, ignored);
}

net::Task<boost::system::error_code> ReceiveAnswer(std::shared_ptr<Sockets> s, AnswerEnd& end, std::chrono::milliseconds wait,
                                                   PayloadAnswer& answer) {
  s->timer.expires_after(wait);
  s->timer.async_wait([s](const boost::system::error_code& ended) {
    boost::system::error_code ignored;
    if (!ended && s->timer.expiry() <= std::chrono::steady_clock::now()) s->socket.cancel(ignored);
  });
  boost::system::error_code error;
  for (int i = 0; i < PayloadLimits::kPassedOver; ++i) {
    const auto [failed, size] = co_await s->socket.async_receive(net::asio::buffer(s->buffer), net::kAwait);
    error = failed;
    if (error) break;
    const Octets datagram(s->buffer.data(), size);
    if (!end.Answers(datagram)) continue;
    answer.received = net::SystemClock().Now();
    answer.reply = datagram;
    break;
  }
  s->timer.cancel();
  if (error == net::asio::error::operation_aborted) error.clear();
  co_return error;
}

}  // namespace

net::Task<PayloadsSent> SendPayloads(net::asio::io_context& context, net::Stream& stream,
                                     const std::vector<std::string>& payloads, AnswerEnd& end, OnPayloadAnswer told,
                                     PayloadOptions options) {
  PayloadsSent out;
  PayloadAnswer greeting;
  out.status = co_await ReadReply(context, stream, end, options.wait, greeting);
  const std::uint64_t all = options.rounds * payloads.size();
  for (; out.sent < all && out.status == net::IoStatus::kOk;) {
    if (out.sent > 0) co_await Pause(context, options.interval);
    const std::string& payload = payloads[out.sent % payloads.size()];
    end.OnSend(payload);
    PayloadAnswer answer;
    answer.sent = net::SystemClock().Now();
    out.status = co_await stream.Write(payload, options.wait);
    if (out.status != net::IoStatus::kOk) break;
    ++out.sent;
    out.status = co_await ReadReply(context, stream, end, options.wait, answer);
    const bool whole = !answer.reply.empty() && end.Expects(answer.reply) != Due::kAnswer;
    if (whole || !answer.due) ++out.answered;
    if (!told(payload, answer)) break;
  }
  co_await stream.Close(PayloadLimits::kClose);
  co_return out;
}

net::Task<Expected<PayloadsSent>> SendDatagrams(net::asio::io_context& context, Endpoint to,
                                                const std::vector<std::string>& payloads, AnswerEnd& end, OnPayloadAnswer told,
                                                PayloadOptions options, Endpoint& local) {
  const auto s = std::make_shared<Sockets>(context);
  const auto peer = net::ToAsioUdp(to);
  boost::system::error_code error;
  s->socket.open(peer.protocol(), error);
  if (!error) s->socket.connect(peer, error);
  if (!error) local = net::FromAsio(s->socket.local_endpoint(error));
  PayloadsSent out;
  const std::uint64_t all = options.rounds * payloads.size();
  for (; out.sent < all && !error;) {
    if (out.sent > 0) co_await Pause(context, options.interval);
    const std::string& payload = payloads[out.sent % payloads.size()];
    PassOver(*s);
    end.OnSend(payload);
    PayloadAnswer answer;
    answer.sent = net::SystemClock().Now();
    const auto sent = co_await s->socket.async_send(net::asio::buffer(payload), net::kAwait);
    error = std::get<0>(sent);
    if (error) break;
    ++out.sent;
    error = co_await ReceiveAnswer(s, end, options.wait, answer);
    if (error) break;
    if (!answer.reply.empty()) ++out.answered;
    if (!told(payload, answer)) break;
  }
  if (error == net::asio::error::connection_refused) co_return Fail("nobody listens there (connection refused)", to.Text());
  if (error) co_return Fail(error.message(), to.Text());
  co_return out;
}

}  // namespace glasspost::agent
