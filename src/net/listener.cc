#include "net/listener.h"

#include <boost/asio/ip/v6_only.hpp>
#include <utility>

#include "net/endpoint.h"

namespace glasspost::net {
namespace {

// How long nothing is taken after the process has run out of descriptors or memory.
constexpr std::chrono::milliseconds kPause{100};

}  // namespace

struct Listener::State {
  State(std::vector<asio::io_context*> all, std::shared_ptr<Admissions> places, ListenerOptions given)
      : workers(std::move(all)),
        admissions(std::move(places)),
        options(std::move(given)),
        acceptor(workers.front()->get_executor()),
        pause(workers.front()->get_executor()) {}

  void Take(asio::io_context& to, Socket socket);

  std::vector<asio::io_context*> workers;
  std::shared_ptr<Admissions> admissions;
  ListenerOptions options;
  Acceptor acceptor;
  Timer pause;
  OnAccept on_accept;
  std::size_t next = 0;
  bool stopped = false;
};

namespace {

bool OutOfResources(const boost::system::error_code& error) {
  using boost::system::errc::make_error_condition;
  for (const auto code : {boost::system::errc::too_many_files_open, boost::system::errc::too_many_files_open_in_system,
                          boost::system::errc::no_buffer_space, boost::system::errc::not_enough_memory})
    if (error == make_error_condition(code)) return true;
  return false;
}

}  // namespace

void Listener::State::Take(asio::io_context& to, Socket socket) {
  boost::system::error_code error;
  const auto peer = socket.remote_endpoint(error);
  if (error) return;  // gone already
  Admissions::Place place = admissions->Admit(FromAsio(peer).address);
  if (place) return on_accept(to, std::move(socket), std::move(place));
  if (options.refusal.empty()) return;
  socket.non_blocking(true, error);
  socket.write_some(asio::buffer(options.refusal), error);
  socket.shutdown(Socket::shutdown_send, error);
}

Listener::Listener(std::shared_ptr<State> state, const Endpoint& endpoint) : state_(std::move(state)), endpoint_(endpoint) {}
Listener::~Listener() { Stop(); }

Expected<std::unique_ptr<Listener>> Listener::Open(const Endpoint& endpoint, std::vector<asio::io_context*> workers,
                                                   std::shared_ptr<Admissions> admissions, ListenerOptions options) {
  auto state = std::make_shared<State>(std::move(workers), std::move(admissions), std::move(options));
  const auto at = ToAsio(endpoint);
  boost::system::error_code error;
  Acceptor& a = state->acceptor;
  a.open(at.protocol(), error);
  if (!error) a.set_option(Acceptor::reuse_address(true), error);
  if (!error && at.address().is_v6()) a.set_option(asio::ip::v6_only(true), error);
  if (!error) a.bind(at, error);
  if (!error) a.listen(state->options.backlog, error);
  if (error == asio::error::address_in_use)
    return Fail("another program listens there", endpoint.Text(), "stop it, or choose another port");
  if (error == asio::error::access_denied)
    return Fail("ports below 1024 need a privilege", endpoint.Text(), "start as root, or choose a higher port");
  if (error) return Fail("cannot listen: " + error.message(), endpoint.Text());
  const Endpoint bound = FromAsio(a.local_endpoint(error));
  return std::unique_ptr<Listener>(new Listener(std::move(state), bound));
}

void Listener::Start(OnAccept on_accept) {
  state_->on_accept = std::move(on_accept);
  asio::co_spawn(
      state_->workers.front()->get_executor(),
      [](std::shared_ptr<State> s) -> Task<void> {
        while (!s->stopped) {
          asio::io_context& to = *s->workers[s->next++ % s->workers.size()];
          auto [error, socket] = co_await s->acceptor.async_accept(to.get_executor(), kAwait);
          if (s->stopped) break;
          if (!error) {
            s->Take(to, std::move(socket));
          } else if (OutOfResources(error)) {
            s->pause.expires_after(kPause);
            co_await s->pause.async_wait(kAwait);
          } else if (error == asio::error::bad_descriptor) {
            break;
          }
        }
      }(state_),
      asio::detached);
}

void Listener::Stop() {
  state_->stopped = true;
  boost::system::error_code ignored;
  state_->acceptor.close(ignored);
  state_->pause.cancel();
}

}  // namespace glasspost::net
