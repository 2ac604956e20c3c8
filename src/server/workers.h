// The threads that serve connections: each has an io_context, and what lives on it is touched by it alone.
#pragma once

#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "net/deadlines.h"
#include "server/sessions.h"

namespace glasspost::server {

class Workers {
 public:
  // At least one. `clock` outlives them.
  Workers(std::size_t count, const Clock& clock);
  // After Run has returned.
  ~Workers();

  // The first worker on the calling thread, the others on their own; returns after Stop.
  void Run();
  // Any thread.
  void Stop();
  // After Run has returned: stands still, no thread is left.
  void Halt();
  // Sessions finish what they do, within `grace`; then `done`, on the first worker's thread.
  void Shutdown(std::chrono::nanoseconds grace, std::function<void()> done);

  const Worker& first() const { return all_.front()->worker; }
  const Worker& of(net::asio::io_context& context) const;
  std::vector<net::asio::io_context*> contexts() const;
  std::size_t sessions() const;  // any thread

 private:
  struct One {
    explicit One(const Clock& clock)
        : deadlines(context, clock), sessions(context, deadlines), worker{context, deadlines, sessions} {}
    net::asio::io_context context{1};
    net::Deadlines deadlines;
    Sessions sessions;
    Worker worker;
  };
  std::vector<std::unique_ptr<One>> all_;
  std::vector<std::thread> threads_;
};

}  // namespace glasspost::server
