#include "net/completion.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "net/test_support.h"
#include "support/counted_allocations.h"

namespace glasspost::net {
namespace {

using namespace std::chrono_literals;
using Callback = std::move_only_function<void(std::string)>;

// Answers on a thread of its own, one after the other.
class Other {
 public:
  ~Other() {
    if (thread_.joinable()) thread_.join();
  }
  void Do(std::move_only_function<void()> what) {
    if (thread_.joinable()) thread_.join();
    thread_ = std::thread(std::move(what));
  }

 private:
  std::thread thread_;
};

TEST(Completion, AnswerOfAnotherThreadArrivesOnTheOwn) {
  test::Net net;
  Other other;
  const auto self = std::this_thread::get_id();
  net.Run([](test::Net& n, Other& o, std::thread::id own) -> Task<void> {
    Waiter waiter(n.context);
    for (int i = 0; i < 3; ++i) {
      const auto got = co_await Await<std::string>(
          waiter, [&](Callback done) { o.Do([d = std::move(done), i]() mutable { d("answer " + std::to_string(i)); }); });
      EXPECT_EQ(got, "answer " + std::to_string(i));
      EXPECT_EQ(std::this_thread::get_id(), own);
    }
  }(net, other, self));
}

TEST(Completion, AnswerBeforeTheWaitIsNotMissed) {
  test::Net net;
  net.Run([](test::Net& n) -> Task<void> {
    Waiter waiter(n.context);
    Answer<std::string> answer(waiter);
    std::thread([done = Callback(answer.Callback())]() mutable { done("early"); }).join();
    Timer pause(n.context, 20ms);
    co_await pause.async_wait(kAwait);  // so that it has been taken out of the inbox
    co_await waiter.Wait();
    EXPECT_EQ(answer.value(), "early");
  }(net));
}

TEST(Completion, CallbackThrownAwayIsAnAnswerToo) {
  test::Net net;
  net.Run([](test::Net& n) -> Task<void> {
    Waiter waiter(n.context);
    EXPECT_EQ(co_await Await<std::string>(waiter, [](const Callback&) {}), std::nullopt);
    EXPECT_EQ(co_await Await<std::string>(waiter, [](Callback done) { done("next"); }), "next");
  }(net));
}

TEST(Completion, CancelledOneIgnoresWhatComesLater) {
  test::Net net;
  Callback late;
  net.Run([](test::Net& n, Callback& l) -> Task<void> {
    Waiter waiter(n.context);
    Timer timer(n.context, 10ms);
    timer.async_wait([&](auto) { waiter.Cancel(); });
    EXPECT_EQ(co_await Await<std::string>(waiter, [&](Callback done) { l = std::move(done); }), std::nullopt);
    const auto next = co_await Await<std::string>(waiter, [&](Callback done) {
      l("late");  // the old question's: not taken for the new one's
      done("right");
    });
    EXPECT_EQ(next, "right");
  }(net, late));
}

TEST(Completion, OutlivesItsCoroutineAndItsContext) {
  Callback first, second;
  bool destroyed = false;
  {
    test::Net net;
    struct Mark {
      bool& flag;
      ~Mark() { flag = true; }
    };
    asio::co_spawn(
        net.context.get_executor(),
        [](test::Net& n, Callback& f, bool& flag) -> Task<void> {
          const Mark mark{flag};
          Waiter waiter(n.context);
          co_await Await<std::string>(waiter, [&](Callback done) { f = std::move(done); });
          ADD_FAILURE() << "nothing was to wake it";
        }(net, first, destroyed),
        asio::detached);
    Waiter other(net.context);
    {
      Answer<std::string> answer(other);
      second = answer.Callback();
    }
    net.context.poll();
    second("the Answer is gone");
  }
  EXPECT_TRUE(destroyed);
  first("the io_context is gone");
}

TEST(Completion, AnAnswerOnTheWayWhenTheContextEnds) {
  auto net = std::make_unique<test::Net>();
  asio::co_spawn(
      net->context.get_executor(),
      [](asio::io_context& context) -> Task<void> {
        Waiter waiter(context);
        co_await Await<std::string>(waiter,
                                    [](Callback done) { std::thread([d = std::move(done)]() mutable { d("x"); }).join(); });
        ADD_FAILURE() << "the io_context runs no more";
      }(net->context),
      asio::detached);
  net->context.run_one();  // begins; the answer lies in the inbox
  net.reset();
}

TEST(Completion, WaitingAllocatesNothing) {
  test::Net net;
  net.Run([](test::Net& n) -> Task<void> {
    Waiter waiter(n.context);
    std::atomic<int> go = 0;
    Callback given;
    std::thread other([&] {
      for (int i = 1; i <= 200; ++i) {
        while (go < i) std::this_thread::yield();
        Callback mine = std::move(given);
        mine("short");
      }
    });
    std::size_t before = 0;
    for (int i = 1; i <= 200; ++i) {
      if (i == 100) before = glasspost::test::allocations;
      Answer<std::string> answer(waiter);
      given = answer.Callback();
      go = i;
      co_await waiter.Wait();
      EXPECT_EQ(answer.value(), "short");
    }
    // Asio keeps a few blocks of memory a thread for frames and handlers; what it lets go of now and then is no cost a wait.
    EXPECT_LE(glasspost::test::allocations - before, 5u);
    other.join();
  }(net));
}

// Many coroutines on two io_contexts, answers from four threads, some thrown away, some after their coroutine has been cancelled.
TEST(Completion, ManyOfThemFromManyThreads) {
  constexpr int kCoroutines = 50, kRounds = 40, kThreads = 4;
  struct Pool {
    std::mutex mutex;
    std::vector<std::pair<Callback, int>> work;
    bool over = false;
  } pool;
  std::vector<std::thread> answering;
  for (int t = 0; t < kThreads; ++t)
    answering.emplace_back([&] {
      while (true) {
        std::unique_lock lock(pool.mutex);
        if (pool.work.empty()) {
          if (pool.over) return;
          lock.unlock();
          std::this_thread::yield();
          continue;
        }
        auto [done, number] = std::move(pool.work.back());
        pool.work.pop_back();
        lock.unlock();
        if (number % 7 != 0) done(std::to_string(number));
      }
    });
  std::atomic<int> right = 0, empty = 0;
  const auto one = [&](asio::io_context& context, int id) -> Task<void> {
    Waiter waiter(context);
    for (int i = 0; i < kRounds; ++i) {
      const int number = id * kRounds + i;
      if (number % 5 == 0) asio::post(context, [&waiter] { waiter.Cancel(); });
      const auto got = co_await Await<std::string>(waiter, [&](Callback done) {
        const std::lock_guard lock(pool.mutex);
        pool.work.emplace_back(std::move(done), number);
      });
      if (!got) {
        ++empty;
      } else {
        EXPECT_EQ(*got, std::to_string(number));
        ++right;
      }
    }
    asio::post(context, [] {});
    co_await asio::post(context, asio::use_awaitable_t<Executor>{});  // a Cancel still on its way finds the waiter
  };
  std::vector<std::thread> running;
  std::vector<std::unique_ptr<asio::io_context>> contexts;
  for (int c = 0; c < 2; ++c) {
    contexts.push_back(std::make_unique<asio::io_context>(1));
    for (int i = 0; i < kCoroutines; ++i)
      asio::co_spawn(contexts.back()->get_executor(), one(*contexts.back(), c * kCoroutines + i), asio::detached);
  }
  for (auto& context : contexts) running.emplace_back([&context] { context->run(); });
  for (auto& t : running) t.join();
  {
    const std::lock_guard lock(pool.mutex);
    pool.over = true;
  }
  for (auto& t : answering) t.join();
  EXPECT_EQ(right + empty, 2 * kCoroutines * kRounds);
  EXPECT_GT(right, kCoroutines * kRounds);
}

}  // namespace
}  // namespace glasspost::net
