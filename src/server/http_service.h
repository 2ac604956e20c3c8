// What monitoring asks for over HTTP, on a loopback port: /metrics (Prometheus), /livez (the process answers) and /readyz (it
// takes mail: the store can be written).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "net/asio.h"

namespace glasspost::server {

struct HttpAnswers {
  std::function<std::string()> metrics;
  std::function<std::string()> not_ready;  // why; empty: it is ready
};

class HttpService {
 public:
  static constexpr std::size_t kConnections = 64;          // stops a flood from taking the descriptors of mail
  static constexpr std::size_t kRequestOctets = 8 * 1024;  // of a request's header; none has a body
  static constexpr std::chrono::seconds kTime{10};         // a request must be whole, and its answer be taken
  static constexpr std::chrono::milliseconds kPause{100};  // nothing is taken after descriptors or memory have run out

  // Bound and listening at once; connections are served on `context`, which outlives it, while it runs.
  static Expected<std::unique_ptr<HttpService>> Open(net::asio::io_context& context, const std::vector<Endpoint>& endpoints,
                                                     HttpAnswers answers);
  ~HttpService();
  void Start();
  void Stop();
  const std::vector<Endpoint>& endpoints() const { return endpoints_; }

 private:
  struct State;
  explicit HttpService(std::shared_ptr<State> state) : state_(std::move(state)) {}

  std::shared_ptr<State> state_;  // shared with its coroutines, which may end later
  std::vector<Endpoint> endpoints_;
};

}  // namespace glasspost::server
