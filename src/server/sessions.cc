#include "server/sessions.h"

#include <boost/asio/post.hpp>
#include <utility>

namespace glasspost::server {

Session::Session(Sessions& sessions) : sessions_(&sessions) { sessions.Add(*this); }
Session::~Session() {
  if (sessions_) sessions_->Remove(*this);
}

Sessions::~Sessions() {
  ForEach([](Session& s) { s.sessions_ = nullptr; });
}

void Sessions::Add(Session& session) {
  session.after_ = first_;
  if (first_) first_->before_ = &session;
  first_ = &session;
  count_.fetch_add(1, std::memory_order_relaxed);
}

void Sessions::Remove(Session& session) {
  (session.before_ ? session.before_->after_ : first_) = session.after_;
  if (session.after_) session.after_->before_ = session.before_;
  count_.fetch_sub(1, std::memory_order_relaxed);
  if (closing_ && !first_) TellDone();
}

void Sessions::Shutdown(std::chrono::nanoseconds grace, std::move_only_function<void()> done) {
  closing_ = true;
  done_ = std::move(done);
  if (!first_) return TellDone();
  Arm(deadlines_, grace);
  ForEach([](Session& s) { s.Finish(); });
}

void Sessions::OnDeadline() {
  ForEach([](Session& s) { s.Cancel(); });
}

// Not from within a session's end: whoever hears of it may take everything down.
void Sessions::TellDone() {
  Disarm();
  if (done_) net::asio::post(context_, std::exchange(done_, nullptr));
}

}  // namespace glasspost::server
