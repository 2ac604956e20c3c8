#include "server/http_service.h"

#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <deque>

#include "net/endpoint.h"

namespace glasspost::server {
namespace {

namespace asio = net::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using HttpStream = beast::basic_stream<asio::ip::tcp, net::Executor>;
using Request = http::request<http::empty_body>;
using Response = http::response<http::string_body>;

}  // namespace

struct HttpService::State {
  explicit State(HttpAnswers given) : answers(std::move(given)) {}
  HttpAnswers answers;
  std::deque<net::Acceptor> acceptors;
  std::size_t connections = 0;

  Response Answer(const Request& request) const {
    Response response;
    response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
    response.set(http::field::cache_control, "no-store");
    if (request.method() != http::verb::get && request.method() != http::verb::head) {
      response.result(http::status::method_not_allowed);
      response.set(http::field::allow, "GET, HEAD");
      response.body() = "only GET and HEAD\n";
    } else if (request.target() == "/metrics") {
      response.body() = answers.metrics();
    } else if (request.target() == "/livez") {
      response.body() = "ok\n";
    } else if (request.target() == "/readyz") {
      const std::string why = answers.not_ready();
      if (!why.empty()) response.result(http::status::service_unavailable);
      response.body() = (why.empty() ? "ok" : why) + "\n";
    } else {
      response.result(http::status::not_found);
      response.body() = "there are /metrics, /livez and /readyz\n";
    }
    response.version(request.version());
    response.keep_alive(request.keep_alive());
    response.prepare_payload();
    if (request.method() == http::verb::head) response.body().clear();
    return response;
  }

  static net::Task<void> Serve(std::shared_ptr<State> state, HttpStream stream) {
    ++state->connections;
    beast::flat_buffer buffer(kRequestOctets);
    bool go_on = true;
    while (go_on) {
      http::request_parser<http::empty_body> parser;
      parser.header_limit(kRequestOctets);
      stream.expires_after(kTime);
      const auto read = co_await http::async_read(stream, buffer, parser, net::kAwait);
      if (std::get<0>(read)) break;
      const Response response = state->Answer(parser.get());
      go_on = response.keep_alive();
      stream.expires_after(kTime);
      const auto written = co_await http::async_write(stream, response, net::kAwait);
      if (std::get<0>(written)) break;
    }
    boost::system::error_code ignored;
    stream.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
    --state->connections;
  }

  static net::Task<void> Accept(std::shared_ptr<State> state, net::Acceptor& acceptor) {
    net::Timer pause(acceptor.get_executor());
    while (acceptor.is_open()) {
      net::Socket socket(acceptor.get_executor());
      const auto [error] = co_await acceptor.async_accept(socket, net::kAwait);
      if (error == asio::error::operation_aborted) break;
      if (error) {  // out of descriptors, mostly: who waits goes on waiting, and asking again at once would be asking for ever
        pause.expires_after(kPause);
        co_await pause.async_wait(net::kAwait);
        continue;
      }
      if (state->connections >= kConnections) continue;
      asio::co_spawn(acceptor.get_executor(), Serve(state, HttpStream(std::move(socket))), asio::detached);
    }
  }
};

Expected<std::unique_ptr<HttpService>> HttpService::Open(asio::io_context& context, const std::vector<Endpoint>& endpoints,
                                                         HttpAnswers answers) {
  auto state = std::make_shared<State>(std::move(answers));
  std::unique_ptr<HttpService> service(new HttpService(state));
  for (const Endpoint& endpoint : endpoints) {
    net::Acceptor& acceptor = state->acceptors.emplace_back(context.get_executor());
    const auto at = net::ToAsio(endpoint);
    boost::system::error_code error;
    acceptor.open(at.protocol(), error);
    if (!error) acceptor.set_option(asio::socket_base::reuse_address(true), error);
    if (!error) acceptor.bind(at, error);
    if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (error)
      return Fail("cannot listen: " + error.message(), endpoint.Text(), "choose another address for http.listen, or [] for none");
    service->endpoints_.push_back(net::FromAsio(acceptor.local_endpoint(error)));
  }
  return service;
}

HttpService::~HttpService() { Stop(); }

void HttpService::Start() {
  for (net::Acceptor& acceptor : state_->acceptors)
    asio::co_spawn(acceptor.get_executor(), State::Accept(state_, acceptor), asio::detached);
}

void HttpService::Stop() {
  boost::system::error_code ignored;
  for (net::Acceptor& acceptor : state_->acceptors) acceptor.close(ignored);
}

}  // namespace glasspost::server
