// How a coroutine waits for an answer that comes from another thread, the store's or a pool's: the answer is moved into the
// coroutine's frame, and the coroutine goes on upon its own io_context. Nothing is allocated but the Waiter, once a connection.
//
//   net::Waiter waiter(context);                                             // one a coroutine, kept
//   net::Answer<store::Result<store::Maildrop>> drop(waiter);
//   mailboxes.OpenMaildrop(account, lease, now, drop.Callback());            // 16 octets: a move_only_function keeps it in
//   itself co_await waiter.Wait(); if (drop.value()) …                                                      // else: cancelled,
//   or the callback was thrown away
//
// or `co_await net::Await<store::Result<store::Maildrop>>(waiter, [&](auto done) { …(std::move(done)); })`.
//
// One answer at a time. All but the callback belongs to the io_context's thread. A callback may be called on any thread, once; if
// the Answer, the coroutine or the io_context is gone by then, it does nothing. What answers meanwhile is taken over in one go:
// a batch that the store commits wakes an io_context once.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "net/asio.h"

namespace glasspost::net {

class Inbox;  // of an io_context

// What a Waiter and the callbacks given out by it share.
class WaiterState {
 public:
  // Word: the number of the question, and how far it is.
  enum Phase : std::uint64_t { kIdle = 0, kAsked = 1, kAnswering = 2, kAnswered = 3 };
  static constexpr std::uint64_t kPhases = 4;
  using Handler = asio::async_result<asio::use_awaitable_t<Executor>, void()>::handler_type;

  explicit WaiterState(asio::io_context& context);
  WaiterState(const WaiterState&) = delete;
  WaiterState& operator=(const WaiterState&) = delete;
  void Keep() { references_.fetch_add(1, std::memory_order_relaxed); }
  void Drop();

  // Of the io_context's thread.
  std::uint64_t Ask(void* slot);
  void Forget();  // the question's slot goes away
  void Suspend(Handler handler);
  void Wake();  // whoever waits goes on, answered or not
  bool answered() const { return (word_.load(std::memory_order_acquire) % kPhases) == kAnswered; }

  // Of any thread. Null: nobody wants this answer any more; else where it goes, and Answered must follow.
  void* BeginAnswer(std::uint64_t question);
  void Answered();

 private:
  friend class Inbox;
  ~WaiterState();

  std::atomic<std::uint32_t> references_{1};
  std::atomic<std::uint64_t> word_{kIdle};
  std::atomic<bool> queued_{false};  // in the inbox
  void* slot_ = nullptr;
  std::shared_ptr<Inbox> inbox_;
  Executor executor_;
  WaiterState* next_ = nullptr;    // in the inbox
  WaiterState* before_ = nullptr;  // among those that wait
  WaiterState* after_ = nullptr;
  std::optional<Handler> handler_;
};

class Waiter {
 public:
  explicit Waiter(asio::io_context& context) : state_(new WaiterState(context)) {}
  ~Waiter() { state_->Drop(); }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  // Until the answer is there or Cancel was called; one that is there already is not missed.
  Task<void> Wait() {
    asio::use_awaitable_t<Executor> token;
    return asio::async_initiate<asio::use_awaitable_t<Executor>, void()>(
        [](WaiterState::Handler handler, WaiterState* state) { state->Suspend(std::move(handler)); }, token, state_);
  }
  // The one that waits goes on at once, within this call, without an answer.
  void Cancel() { state_->Wake(); }

 private:
  template <class T>
  friend class Answer;
  WaiterState* state_;
};

// Called once, or thrown away, on any thread.
template <class T>
class AnswerCallback {
 public:
  AnswerCallback(WaiterState* state, std::uint64_t question) : state_(state), question_(question) { state_->Keep(); }
  AnswerCallback(AnswerCallback&& other) noexcept : state_(std::exchange(other.state_, nullptr)), question_(other.question_) {}
  AnswerCallback& operator=(AnswerCallback&&) = delete;
  ~AnswerCallback() {
    if (!state_) return;
    if (state_->BeginAnswer(question_)) state_->Answered();  // with nothing in it: nobody shall wait for ever
    state_->Drop();
  }
  void operator()(T value) {
    if (void* const slot = state_->BeginAnswer(question_)) {
      static_cast<std::optional<T>*>(slot)->emplace(std::move(value));
      state_->Answered();
    }
    std::exchange(state_, nullptr)->Drop();
  }

 private:
  WaiterState* state_;
  std::uint64_t question_;
};

// Where an answer goes; lives in the coroutine's frame. One of a Waiter at a time.
template <class T>
class Answer {
 public:
  explicit Answer(Waiter& waiter) : state_(waiter.state_), question_(state_->Ask(&value_)) {}
  ~Answer() { state_->Forget(); }
  Answer(const Answer&) = delete;
  Answer& operator=(const Answer&) = delete;

  AnswerCallback<T> Callback() { return {state_, question_}; }  // once
  // Empty: cancelled, or the callback was thrown away. To be looked at after Wait only.
  std::optional<T> value() { return state_->answered() ? std::move(value_) : std::nullopt; }

 private:
  WaiterState* state_;
  std::optional<T> value_;
  std::uint64_t question_;
};

// `ask` is given the callback.
template <class T, class Ask>
Task<std::optional<T>> Await(Waiter& waiter, Ask ask) {
  Answer<T> answer(waiter);
  ask(answer.Callback());
  co_await waiter.Wait();
  co_return answer.value();
}

}  // namespace glasspost::net
