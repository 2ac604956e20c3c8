#include "agent/dns_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "net/endpoint.h"
#include "net/stream.h"
#include "wire/dns/framing.h"
#include "wire/dns/matching.h"

namespace glasspost::agent {
namespace {

using dns::Message;
using dns::Transport;

// A UDP socket with a time-out. Shared with the timer's handler, which may come later than the one who waits.
struct Datagrams {
  explicit Datagrams(net::asio::io_context& context) : socket(context.get_executor()), timer(context.get_executor()) {}
  net::UdpSocket socket;
  net::Timer timer;
};

void CancelAt(const std::shared_ptr<Datagrams>& d, std::chrono::steady_clock::time_point when) {
  d->timer.expires_at(when);
  d->timer.async_wait([d](const boost::system::error_code& error) {
    boost::system::error_code ignored;
    // The timer may have been set anew while this handler waited for its turn.
    if (!error && d->timer.expiry() <= std::chrono::steady_clock::now()) d->socket.cancel(ignored);
  });
}

class Asking {
 public:
  Asking(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, Endpoint server, DnsQuestion question,
         DnsOptions options)
      : context_(context), deadlines_(deadlines), question_(std::move(question)), options_(options), edns_(options.edns) {
    result_.server = server;
    const std::string id = randomness.Draw(2);
    id_ = Load16(AsBytes(id).data());
  }

  net::Task<DnsResult> Run() {
    bool again = true;
    while (again) {
      MakeQuery();
      result_.answer.clear();
      result_.failure.clear();
      bool tcp = options_.tcp;
      if (!tcp) {
        result_.transport = Transport::kUdp;
        co_await OverUdp();
        tcp = Truncated();
      }
      if (tcp) {
        result_.transport = Transport::kTcp;
        result_.answer.clear();
        co_await OverTcp();
      }
      again = edns_ && DoesNotKnowEdns();
      if (again) {
        edns_ = false;
        Happened(DnsEvent::kWithoutEdns);
      }
    }
    if (result_.answer.empty() && result_.failure.empty()) result_.failure = broken_.empty() ? "no answer came" : broken_;
    co_return std::move(result_);
  }

 private:
  void Happened(DnsEvent event, std::string detail = {}) {
    if (result_.happened.size() < DnsClientLimits::kEvents) result_.happened.push_back({event, std::move(detail)});
  }

  void MakeQuery() {
    asked_.Clear();
    asked_.id = id_;
    asked_.flags = options_.recurse ? dns::kFlagRd : 0;
    asked_.AddQuestionOctets(question_.name, question_.type, question_.klass);
    if (edns_) asked_.AddEdns(options_.udp_size, options_.dnssec);
    result_.query.clear();
    dns::Encode(asked_, result_.query);
  }

  bool Truncated() {
    if (result_.answer.empty() || options_.keep_truncated || !message_.truncated()) return false;
    Happened(DnsEvent::kTruncated);
    return true;
  }

  bool DoesNotKnowEdns() const {
    return !result_.answer.empty() && !message_.edns.present &&
           (message_.rcode() == dns::kRcodeFormErr || message_.rcode() == dns::kRcodeNotImp);
  }

  // True: it is the answer, which is kept.
  bool Take(Octets octets) {
    dns::Decode(octets, message_);
    switch (dns::MatchAnswer(asked_, message_)) {
      case dns::Match::kAnswer:
        break;
      case dns::Match::kNoAnswer:
        return Happened(DnsEvent::kNoAnswer), false;
      case dns::Match::kWrongId:
        return Happened(DnsEvent::kWrongId, fmt::format("0x{:04x}", message_.id)), false;
      case dns::Match::kWrongQuestion: {
        std::string asked;
        if (!message_.questions.empty()) dns::AppendQuestionText(asked, message_, message_.questions.front());
        return Happened(DnsEvent::kWrongQuestion, std::move(asked)), false;
      }
    }
    // What stands behind the message is of no matter.
    if (message_.malformed() && message_.fault.kind != dns::FaultKind::kTrailing) {
      broken_ = "the answer is broken: ";
      std::string fault;
      dns::AppendFault(fault, message_.fault);
      broken_ += fault;
      Happened(DnsEvent::kBroken, std::move(fault));
      return false;
    }
    result_.answer = octets;
    result_.received = deadlines_.clock().Now();
    return true;
  }

  net::Task<void> OverUdp() {
    const auto datagrams = std::make_shared<Datagrams>(context_);
    const auto to = net::ToAsioUdp(result_.server);
    boost::system::error_code error;
    datagrams->socket.open(to.protocol(), error);
    // Connected: what comes from elsewhere does not arrive, and it is told where nobody listens. The port is a random one.
    if (!error) datagrams->socket.connect(to, error);
    for (int i = 0; i < options_.tries && !error; ++i) {
      result_.sent = deadlines_.clock().Now();
      const auto sent = co_await datagrams->socket.async_send(net::asio::buffer(result_.query), net::kAwait);
      error = std::get<0>(sent);
      if (error) break;
      const bool done = co_await Await(datagrams, error);
      datagrams->timer.cancel();
      if (done) co_return;
      if (!error) Happened(DnsEvent::kTimedOut);
      if (!broken_.empty()) break;  // it did answer; it would again
    }
    if (error == net::asio::error::connection_refused) {
      result_.failure = "nobody listens there (connection refused)";
    } else if (error) {
      result_.failure = error.message();
    }
  }

  // True: the answer is there. False without an error: it was not, in time.
  net::Task<bool> Await(const std::shared_ptr<Datagrams>& datagrams, boost::system::error_code& error) {
    CancelAt(datagrams, std::chrono::steady_clock::now() + options_.timeout);
    for (int i = 0; i < DnsClientLimits::kPassedOver; ++i) {
      const auto [failed, size] = co_await datagrams->socket.async_receive(net::asio::buffer(buffer_), net::kAwait);
      if (failed == net::asio::error::operation_aborted) co_return false;
      error = failed;
      if (error) co_return false;
      if (Take(Octets(buffer_.data(), size))) co_return true;
    }
    co_return false;
  }

  net::Task<void> OverTcp() {
    result_.sent = deadlines_.clock().Now();
    auto stream = co_await net::Connect(context_, deadlines_, result_.server, options_.timeout);
    if (!stream) {
      result_.failure = stream.error().what;
      co_return;
    }
    std::string framed{static_cast<char>(result_.query.size() >> 8), static_cast<char>(result_.query.size())};
    framed += result_.query;
    const net::IoStatus written = co_await (*stream)->Write(framed, options_.timeout);
    if (written != net::IoStatus::kOk) {
      result_.failure = fmt::format("TCP: {}", net::Name(written));
      co_return;
    }
    co_await ReadTcp(**stream);
  }

  net::Task<void> ReadTcp(net::Stream& stream) {
    dns::TcpSplitter splitter;
    dns::Framed framed;
    const std::int64_t until = deadlines_.clock().Steady() + std::chrono::nanoseconds(options_.timeout).count();
    for (int passed_over = 0; passed_over < DnsClientLimits::kPassedOver;) {
      const auto left = std::chrono::nanoseconds(until - deadlines_.clock().Steady());
      if (left.count() <= 0) break;
      const net::ReadResult in = co_await stream.Read(left);
      if (in.status == net::IoStatus::kTimedOut) break;
      if (in.status != net::IoStatus::kOk) {
        result_.failure = fmt::format("TCP: the server closed before its answer was whole ({})", net::Name(in.status));
        co_return;
      }
      Octets input = in.octets;
      while (splitter.Next(input, framed) == dns::TcpSplitter::Step::kMessage) {
        if (Take(framed.message)) co_return;
        ++passed_over;
      }
    }
    Happened(DnsEvent::kTimedOut);
  }

  net::asio::io_context& context_;
  net::Deadlines& deadlines_;
  DnsQuestion question_;
  DnsOptions options_;
  bool edns_;
  std::uint16_t id_ = 0;
  DnsResult result_;
  Message asked_;
  Message message_;     // the last that came
  std::string broken_;  // what was wrong with an answer
  std::array<char, dns::kMaxMessage> buffer_;
};

}  // namespace

net::Task<DnsResult> AskDns(net::asio::io_context& context, net::Deadlines& deadlines, Randomness& randomness, Endpoint server,
                            DnsQuestion question, DnsOptions options) {
  const auto asking = std::make_unique<Asking>(context, deadlines, randomness, server, std::move(question), options);
  DnsResult result = co_await asking->Run();
  co_return std::move(result);
}

}  // namespace glasspost::agent
