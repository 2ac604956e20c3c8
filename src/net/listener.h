// Listens on one address, IPv4 or IPv6 (an IPv6 one takes IPv6 only, so that both can listen on one port), and hands over what
// connects, to the io_contexts in turn. Lives on the thread of its own io_context.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "net/admissions.h"
#include "net/asio.h"

namespace glasspost::net {

struct ListenerOptions {
  int backlog = 1024;
  // Said, as far as it goes at once, to one for whom there is no place; "421 …" with its CRLF.
  std::string refusal;
};

class Listener {
 public:
  // A connection for the io_context `to`: called on the listener's thread; the socket belongs to `to`'s.
  using OnAccept = std::function<void(asio::io_context& to, Socket socket, Admissions::Place place)>;

  // Bound and listening, but nothing is taken before Start. `endpoint`: port 0 for any that is free. `workers` must not be empty;
  // the first is the listener's own. They outlive it.
  static Expected<std::unique_ptr<Listener>> Open(const Endpoint& endpoint, std::vector<asio::io_context*> workers,
                                                  std::shared_ptr<Admissions> admissions, ListenerOptions options = {});
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  void Start(OnAccept on_accept);
  // Takes no more. On the listener's thread.
  void Stop();
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  struct State;
  Listener(std::shared_ptr<State> state, const Endpoint& endpoint);

  std::shared_ptr<State> state_;  // shared with the accepting coroutine, which may end later
  Endpoint endpoint_;
};

}  // namespace glasspost::net
