// Deadlines of many connections on one io_context: arming one is storing a number, since nearly all are met. A single timer looks
// through them at each tick, so one may be kept waiting a tick longer than its time.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"
#include "net/asio.h"

namespace glasspost::net {

class Deadlines;

// Something that must not wait for ever. Lives no longer than its Deadlines; the same thread.
class Deadline {
 public:
  Deadline() = default;
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

 protected:
  virtual ~Deadline() { Disarm(); }
  virtual void OnDeadline() = 0;  // disarmed by then
  void Arm(Deadlines& deadlines, std::chrono::nanoseconds in);
  void Disarm();

 private:
  friend class Deadlines;
  Deadline* before_ = nullptr;  // null: not armed
  Deadline* after_ = nullptr;
  std::int64_t due_ = 0;  // by the clock's Steady()
};

class Deadlines {
 public:
  // `clock` outlives it. The timer runs only while something is armed.
  Deadlines(asio::io_context& context, const Clock& clock, std::chrono::milliseconds tick = std::chrono::seconds(1));
  ~Deadlines();
  Deadlines(const Deadlines&) = delete;
  Deadlines& operator=(const Deadlines&) = delete;
  const Clock& clock() const { return clock_; }

 private:
  friend class Deadline;
  // The list's own end; never due.
  class Anchor final : public Deadline {
    void OnDeadline() override {}
  };
  void Add(Deadline& d);
  void Tick();
  void Look();

  const Clock& clock_;
  const std::chrono::milliseconds tick_;
  Timer timer_;
  Anchor anchor_;
  bool ticking_ = false;
};

}  // namespace glasspost::net
