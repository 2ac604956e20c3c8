// The sessions that live on one io_context: how many there are, who they are, and their end when the server stops.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "base/address.h"
#include "net/asio.h"
#include "net/deadlines.h"

namespace glasspost::server {

class Sessions;

// What an operator sees of a session.
struct SessionInfo {
  const char* protocol = "";
  Endpoint peer;
  std::uint64_t conversation = 0;
  std::string user;  // logged in as; empty: not
};

// Among its Sessions from its construction to its destruction. One thread.
class Session {
 public:
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  virtual SessionInfo Info() const = 0;
  // The server stops: end when what is running is done, begin nothing more.
  virtual void Finish() = 0;
  // End now. The session may be destroyed within the call.
  virtual void Cancel() = 0;

 protected:
  explicit Session(Sessions& sessions);
  virtual ~Session();

 private:
  friend class Sessions;
  Sessions* sessions_;
  Session* before_ = nullptr;
  Session* after_ = nullptr;
};

// Of the io_context's thread, but for count(). Sessions that outlive it are on their own.
class Sessions final : private net::Deadline {
 public:
  Sessions(net::asio::io_context& context, net::Deadlines& deadlines) : context_(context), deadlines_(deadlines) {}
  ~Sessions() override;

  std::size_t count() const { return count_.load(std::memory_order_relaxed); }  // any thread
  // `visit` may end the session that it is shown.
  template <class F>
  void ForEach(F visit) {
    for (Session* s = first_; s;) {
      Session* const next = s->after_;
      visit(*s);
      s = next;
    }
  }
  // Tells all to finish, ends those that are left after `grace`, and calls `done` on this thread when there is none any more.
  // Once. A session that begins from now on must end at once by itself.
  void Shutdown(std::chrono::nanoseconds grace, std::move_only_function<void()> done);
  bool closing() const { return closing_; }

 private:
  friend class Session;
  void Add(Session& session);
  void Remove(Session& session);
  void OnDeadline() override;
  void TellDone();

  net::asio::io_context& context_;
  net::Deadlines& deadlines_;
  Session* first_ = nullptr;
  std::atomic<std::size_t> count_{0};
  bool closing_ = false;
  std::move_only_function<void()> done_;
};

// What the sessions of one thread share; outlives them.
struct Worker {
  net::asio::io_context& context;
  net::Deadlines& deadlines;
  Sessions& sessions;
};

}  // namespace glasspost::server
