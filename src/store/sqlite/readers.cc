#include "store/sqlite/readers.h"

namespace glasspost::store {

Readers::Readers(std::vector<std::unique_ptr<Database>> databases) : databases_(std::move(databases)) {
  for (auto& database : databases_) threads_.emplace_back([this, &db = *database] { Loop(db); });
}

void Readers::Close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  posted_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Readers::Drain() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return waiting_.empty() && busy_ == 0; });
}

void Readers::Post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(task));
  }
  posted_.notify_one();
}

void Readers::Loop(Database& db) {
  for (;;) {
    Task task;
    {
      std::unique_lock lock(mutex_);
      posted_.wait(lock, [this] { return !waiting_.empty() || closing_; });
      if (waiting_.empty()) return;
      task = std::move(waiting_.front());
      waiting_.pop_front();
      ++busy_;
    }
    task(db);
    task = nullptr;  // what it holds goes before it counts as done
    const std::lock_guard lock(mutex_);
    if (--busy_ == 0 && waiting_.empty()) idle_.notify_all();
  }
}

}  // namespace glasspost::store
