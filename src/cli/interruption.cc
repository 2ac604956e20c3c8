#include "cli/interruption.h"

#include <pthread.h>

#include <utility>

namespace glasspost::cli {
namespace {

// Sent to the thread alone to wake it when its time is over.
constexpr int kWake = SIGHUP;

bool IsIgnored(int signal) {
  struct sigaction action {};
  return ::sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

Interruption::Interruption(std::function<void()> tidy) : tidy_(std::move(tidy)) {
  ::sigemptyset(&signals_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP})
    if (signal == kWake || !IsIgnored(signal)) ::sigaddset(&signals_, signal);
  ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
  thread_ = std::jthread([this](const std::stop_token& stop) { Wait(stop); });
}

Interruption::~Interruption() {
  thread_.request_stop();
  ::pthread_kill(thread_.native_handle(), kWake);
  thread_.join();
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Interruption::Wait(const std::stop_token& stop) {
  int signal = 0;
  do
    if (::sigwait(&signals_, &signal) != 0 || stop.stop_requested()) return;
  while (IsIgnored(signal));
  tidy_();
  ::pthread_sigmask(SIG_UNBLOCK, &signals_, nullptr);
  ::raise(signal);
}

}  // namespace glasspost::cli
