#include "net/deadlines.h"

namespace glasspost::net {

void Deadline::Arm(Deadlines& deadlines, std::chrono::nanoseconds in) {
  due_ = deadlines.clock().Steady() + in.count();
  if (!before_) deadlines.Add(*this);
}

void Deadline::Disarm() {
  if (!before_) return;
  before_->after_ = after_;
  after_->before_ = before_;
  before_ = after_ = nullptr;
}

Deadlines::Deadlines(asio::io_context& context, const Clock& clock, std::chrono::milliseconds tick)
    : clock_(clock), tick_(tick), timer_(context) {
  anchor_.before_ = anchor_.after_ = &anchor_;
}

Deadlines::~Deadlines() {
  while (anchor_.after_ != &anchor_) anchor_.after_->Disarm();
}

void Deadlines::Add(Deadline& d) {
  d.before_ = anchor_.before_;
  d.after_ = &anchor_;
  d.before_->after_ = d.after_->before_ = &d;
  if (!ticking_) Tick();
}

void Deadlines::Tick() {
  ticking_ = true;
  timer_.expires_after(tick_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;  // cancelled: this object is gone
    Look();
  });
}

void Deadlines::Look() {
  ticking_ = false;
  const std::int64_t now = clock_.Steady();
  // What is due goes to a list of its own first: OnDeadline may arm and disarm others.
  Anchor due;
  due.before_ = due.after_ = &due;
  for (Deadline* d = anchor_.after_; d != &anchor_;) {
    Deadline* const next = d->after_;
    if (d->due_ <= now) {
      d->Disarm();
      d->before_ = due.before_, d->after_ = &due;
      d->before_->after_ = d->after_->before_ = d;
    }
    d = next;
  }
  while (due.after_ != &due) {
    Deadline* const d = due.after_;
    d->Disarm();
    d->OnDeadline();
  }
  due.before_ = due.after_ = nullptr;
  if (anchor_.after_ != &anchor_ && !ticking_) Tick();
}

}  // namespace glasspost::net
