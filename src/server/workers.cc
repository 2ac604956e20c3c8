#include "server/workers.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

namespace glasspost::server {

Workers::Workers(std::size_t count, const Clock& clock) {
  for (std::size_t i = 0; i < std::max<std::size_t>(count, 1); ++i) all_.push_back(std::make_unique<One>(clock));
}

Workers::~Workers() { Halt(); }

void Workers::Halt() {
  Stop();
  for (std::thread& t : threads_) t.join();
  threads_.clear();
}

void Workers::Run() {
  const auto run = [](One& one) {
    const auto guard = net::asio::make_work_guard(one.context);
    one.context.run();
  };
  for (std::size_t i = 1; i < all_.size(); ++i) threads_.emplace_back([&one = *all_[i], run] { run(one); });
  run(*all_.front());
}

void Workers::Stop() {
  for (const auto& one : all_) one->context.stop();
}

void Workers::Shutdown(std::chrono::nanoseconds grace, std::function<void()> done) {
  auto left = std::make_shared<std::size_t>(all_.size());  // counted by the first worker
  for (const auto& one : all_) {
    net::asio::post(one->context, [this, &one = *one, grace, left, done] {
      one.sessions.Shutdown(grace, [this, left, done] {
        net::asio::post(all_.front()->context, [left, done] {
          if (--*left == 0) done();
        });
      });
    });
  }
}

const Worker& Workers::of(net::asio::io_context& context) const {
  for (const auto& one : all_)
    if (&one->context == &context) return one->worker;
  return all_.front()->worker;
}

std::vector<net::asio::io_context*> Workers::contexts() const {
  std::vector<net::asio::io_context*> contexts;
  for (const auto& one : all_) contexts.push_back(&one->context);
  return contexts;
}

std::size_t Workers::sessions() const {
  std::size_t sum = 0;
  for (const auto& one : all_) sum += one->sessions.count();
  return sum;
}

}  // namespace glasspost::server
