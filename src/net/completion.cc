#include "net/completion.h"

#include <array>
#include <boost/asio/post.hpp>
#include <mutex>
#include <thread>

namespace glasspost::net {

// What was answered for the coroutines of one io_context and is not yet known to them: a list to which any thread adds without a
// lock, and which the io_context's thread takes whole. It may outlive the io_context, and then keeps nothing.
class Inbox : public std::enable_shared_from_this<Inbox> {
 public:
  explicit Inbox(asio::io_context& context) : context_(context) {}

  void Put(WaiterState& state) {
    if (state.queued_.exchange(true, std::memory_order_acq_rel)) return;
    state.Keep();
    WaiterState* head = head_.load(std::memory_order_relaxed);
    do state.next_ = head;
    while (!head_.compare_exchange_weak(head, &state, std::memory_order_acq_rel, std::memory_order_relaxed));
    if (head) return;  // whoever put the first has woken it, or is about to
    const std::lock_guard lock(mutex_);
    if (closed_) return Clear();
    asio::post(context_.get_executor(), Waking{shared_from_this()});
  }
  // Of the io_context's thread.
  void Link(WaiterState& state) {
    state.before_ = nullptr;
    state.after_ = waiting_;
    if (state.after_) state.after_->before_ = &state;
    waiting_ = &state;
  }
  void Unlink(WaiterState& state) {
    (state.before_ ? state.before_->after_ : waiting_) = state.after_;
    if (state.after_) state.after_->before_ = state.before_;
    state.before_ = state.after_ = nullptr;
  }
  // The io_context ends: coroutines that still wait go with it.
  void Close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
      Clear();
    }
    while (WaiterState* const state = waiting_) {
      Unlink(*state);
      state->Keep();
      auto handler = std::move(state->handler_);
      state->handler_.reset();
      handler.reset();  // its frame, and all that is in it
      state->Drop();
    }
  }

 private:
  // There is at most one of it, so that its memory is kept here.
  template <class T>
  struct Memory {
    using value_type = T;
    explicit Memory(Inbox* inbox) : of(inbox) {}
    template <class U>
    Memory(const Memory<U>& other) : of(other.of) {}  // NOLINT: as allocators are
    T* allocate(std::size_t n) {
      static_assert(sizeof(T) <= sizeof(Inbox::memory_) && alignof(T) <= alignof(std::max_align_t));
      if (n == 1 && !of->memory_used_.exchange(true)) return reinterpret_cast<T*>(of->memory_.data());
      return std::allocator<T>().allocate(n);
    }
    void deallocate(T* at, std::size_t n) {
      if (reinterpret_cast<std::byte*>(at) == of->memory_.data()) return of->memory_used_.store(false);
      std::allocator<T>().deallocate(at, n);
    }
    bool operator==(const Memory&) const = default;
    Inbox* of;
  };
  struct Waking {
    std::shared_ptr<Inbox> inbox;
    using allocator_type = Memory<std::byte>;
    allocator_type get_allocator() const noexcept { return allocator_type(inbox.get()); }
    void operator()() const { inbox->Take(); }
  };

  void Take() {
    // Turned round: first come, first served.
    WaiterState* first = nullptr;
    for (WaiterState* s = head_.exchange(nullptr, std::memory_order_acq_rel); s;) {
      WaiterState* const next = s->next_;
      s->next_ = first;
      first = s;
      s = next;
    }
    while (first) {
      WaiterState* const state = first;
      first = state->next_;
      // From here on it may be put in again; what is answered by now is seen below.
      state->queued_.exchange(false, std::memory_order_acq_rel);
      if (state->answered()) state->Wake();
      state->Drop();
    }
  }
  void Clear() {
    for (WaiterState* s = head_.exchange(nullptr, std::memory_order_acq_rel); s;) {
      WaiterState* const next = s->next_;
      s->queued_.store(false, std::memory_order_release);
      s->Drop();
      s = next;
    }
  }

  asio::io_context& context_;
  std::atomic<WaiterState*> head_{nullptr};
  std::mutex mutex_;  // between waking and the io_context's end
  bool closed_ = false;
  WaiterState* waiting_ = nullptr;  // the first of those whose coroutine is suspended
  alignas(std::max_align_t) std::array<std::byte, 256> memory_;
  std::atomic<bool> memory_used_{false};
};

namespace {

class InboxService final : public asio::execution_context::service {
 public:
  using key_type = InboxService;
  static asio::execution_context::id id;
  explicit InboxService(asio::execution_context& context)
      : service(context), inbox(std::make_shared<Inbox>(static_cast<asio::io_context&>(context))) {}
  std::shared_ptr<Inbox> inbox;

 private:
  void shutdown() override { inbox->Close(); }
};
asio::execution_context::id InboxService::id;

}  // namespace

WaiterState::WaiterState(asio::io_context& context)
    : inbox_(asio::use_service<InboxService>(context).inbox), executor_(context.get_executor()) {}
WaiterState::~WaiterState() = default;

void WaiterState::Drop() {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
}

std::uint64_t WaiterState::Ask(void* slot) {
  slot_ = slot;
  const std::uint64_t question = word_.load(std::memory_order_relaxed) / kPhases + 1;
  word_.store(question * kPhases + kAsked, std::memory_order_release);
  return question;
}

void WaiterState::Forget() {
  std::uint64_t word = word_.load(std::memory_order_acquire);
  while (true) {
    if (word % kPhases == kAnswering) {  // for as long as a value is moved
      std::this_thread::yield();
      word = word_.load(std::memory_order_acquire);
    } else if (word_.compare_exchange_weak(word, word / kPhases * kPhases + kIdle, std::memory_order_acq_rel)) {
      return;
    }
  }
}

void WaiterState::Suspend(Handler handler) {
  if (answered()) return asio::post(executor_, std::move(handler));
  handler_.emplace(std::move(handler));
  inbox_->Link(*this);
}

void WaiterState::Wake() {
  if (!handler_) return;
  inbox_->Unlink(*this);
  Handler handler = std::move(*handler_);
  handler_.reset();
  std::move(handler)();
}

void* WaiterState::BeginAnswer(std::uint64_t question) {
  std::uint64_t word = question * kPhases + kAsked;
  if (!word_.compare_exchange_strong(word, question * kPhases + kAnswering, std::memory_order_acq_rel)) return nullptr;
  return slot_;
}

void WaiterState::Answered() {
  // Only the one that answers changes it now.
  word_.store(word_.load(std::memory_order_relaxed) / kPhases * kPhases + kAnswered, std::memory_order_release);
  inbox_->Put(*this);
}

}  // namespace glasspost::net
