// What a command that is interrupted must still do.
#pragma once

#include <csignal>
#include <functional>
#include <thread>

namespace glasspost::cli {

// As long as it lives: SIGINT, SIGTERM and SIGHUP (unless they are ignored) first call `tidy`, on a thread of its own, then end
// the program as they do. Made before the threads that work, so that none of them takes the signal.
class Interruption {
 public:
  explicit Interruption(std::function<void()> tidy);
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

 private:
  void Wait(const std::stop_token& stop);

  std::function<void()> tidy_;
  sigset_t signals_{};
  sigset_t before_{};
  std::jthread thread_;
};

}  // namespace glasspost::cli
