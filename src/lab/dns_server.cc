#include "lab/dns_server.h"

#include <array>
#include <boost/asio/ip/v6_only.hpp>
#include <utility>

#include "net/endpoint.h"
#include "net/listener.h"
#include "net/stream.h"
#include "wire/dns/framing.h"

namespace glasspost::lab {
namespace {

constexpr int kPortTries = 20;  // for a port that is free on UDP and on TCP
constexpr std::chrono::seconds kClose{2};

}  // namespace

struct DnsServer::State {
  State(net::asio::io_context& io, net::Deadlines& all, const dns::Authority& zones)
      : context(io), deadlines(all), authority(zones), datagrams(io.get_executor()) {}

  void Tell(const Endpoint& client, dns::Transport transport, Octets query, Octets answer) const {
    if (on_served) on_served({client, transport, query, answer});
  }

  net::asio::io_context& context;
  net::Deadlines& deadlines;
  const dns::Authority& authority;
  net::UdpSocket datagrams;
  std::unique_ptr<net::Listener> listener;
  OnDnsServed on_served;
  dns::AuthorityWorkspace work;  // of a look-up, which waits for nothing
  std::array<char, dns::kMaxMessage> buffer;
  bool stopped = false;
};

namespace {

std::string Framed(Octets message) {
  std::string out{static_cast<char>(message.size() >> 8), static_cast<char>(message.size())};
  return out.append(message);
}

}  // namespace

DnsServer::DnsServer(std::shared_ptr<State> state, const Endpoint& endpoint) : state_(std::move(state)), endpoint_(endpoint) {}
DnsServer::~DnsServer() { Stop(); }

Expected<std::unique_ptr<DnsServer>> DnsServer::Open(net::asio::io_context& context, net::Deadlines& deadlines,
                                                     const Endpoint& endpoint, const dns::Authority& authority) {
  const auto admissions =
      net::Admissions::Make({.all = DnsServerLimits::kConnections, .per_address = DnsServerLimits::kConnectionsOfAddress});
  std::string why;
  for (int i = 0; i < kPortTries; ++i) {
    auto state = std::make_shared<State>(context, deadlines, authority);
    auto listener = net::Listener::Open(endpoint, {&context}, admissions);
    if (!listener) return std::unexpected(listener.error());
    const Endpoint bound = (*listener)->endpoint();
    const auto at = net::ToAsioUdp(bound);
    boost::system::error_code error;
    state->datagrams.open(at.protocol(), error);
    if (!error && at.address().is_v6()) state->datagrams.set_option(net::asio::ip::v6_only(true), error);
    if (!error) state->datagrams.bind(at, error);
    if (!error) {
      state->listener = std::move(*listener);
      return std::unique_ptr<DnsServer>(new DnsServer(std::move(state), bound));
    }
    why = error.message();
    if (endpoint.port != 0) break;
  }
  return Fail("cannot listen over UDP: " + why, endpoint.Text(), "stop the program that listens there, or choose another port");
}

namespace {

// One connection: query after query, each answered before the next is looked at.
template <class S>
net::Task<void> ServeConnection(S state, net::Socket socket, net::Admissions::Place place) {
  net::Stream stream(std::move(socket), net::Side::kServer, state->deadlines);
  const net::Admissions::Place held = std::move(place);
  dns::TcpSplitter splitter;
  dns::Framed framed;
  std::string answer;
  int queries = 0;
  while (!state->stopped && queries < DnsServerLimits::kQueries) {
    const net::ReadResult in = co_await stream.Read(DnsServerLimits::kIdle);
    if (in.status != net::IoStatus::kOk) break;
    std::string answers;
    Octets input = in.octets;
    while (queries < DnsServerLimits::kQueries && answers.size() < DnsServerLimits::kAnswers &&
           splitter.Next(input, framed) == dns::TcpSplitter::Step::kMessage) {
      ++queries;
      const bool answered = state->authority.Answer(framed.message, dns::Transport::kTcp, state->work, answer);
      state->Tell(stream.peer(), dns::Transport::kTcp, framed.message, answered ? answer : Octets{});
      if (answered) answers += Framed(answer);
    }
    stream.PutBack(input);
    if (answers.empty()) continue;
    const net::IoStatus written = co_await stream.Write(answers, DnsServerLimits::kIdle);
    if (written != net::IoStatus::kOk) break;
  }
  co_await stream.Close(kClose);
}

template <class S>
net::Task<void> ServeDatagrams(S state) {
  std::string answer;
  net::asio::ip::udp::endpoint from;
  while (!state->stopped) {
    const auto [error, size] = co_await state->datagrams.async_receive_from(net::asio::buffer(state->buffer), from, net::kAwait);
    if (state->stopped || error == net::asio::error::operation_aborted || error == net::asio::error::bad_descriptor) break;
    if (error) continue;  // what an earlier answer met with: nobody listens there
    const Octets query(state->buffer.data(), size);
    // From port 0 nobody asks.
    if (from.port() == 0) continue;
    const bool answered = state->authority.Answer(query, dns::Transport::kUdp, state->work, answer);
    state->Tell(net::FromAsio(from), dns::Transport::kUdp, query, answered ? answer : Octets{});
    if (!answered) continue;
    co_await state->datagrams.async_send_to(net::asio::buffer(answer), from, net::kAwait);
  }
}

}  // namespace

void DnsServer::Start(OnDnsServed on_served) {
  state_->on_served = std::move(on_served);
  const std::weak_ptr<State> weak = state_;
  state_->listener->Start([weak](net::asio::io_context& to, net::Socket socket, net::Admissions::Place place) {
    if (auto state = weak.lock())
      net::asio::co_spawn(to.get_executor(), ServeConnection(std::move(state), std::move(socket), std::move(place)),
                          net::asio::detached);
  });
  net::asio::co_spawn(state_->context.get_executor(), ServeDatagrams(state_), net::asio::detached);
}

void DnsServer::Stop() {
  state_->stopped = true;
  state_->listener->Stop();
  boost::system::error_code ignored;
  state_->datagrams.close(ignored);
}

}  // namespace glasspost::lab
