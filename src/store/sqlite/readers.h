// A few threads, each with a connection that only reads; each call sees the store as the last commit before it left it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "store/sqlite/database.h"

namespace glasspost::store {

class Readers {
 public:
  // The databases are open and belong to the pool from now on.
  explicit Readers(std::vector<std::unique_ptr<Database>> databases);
  ~Readers() { Close(); }
  void Close();  // answers what waits; then the threads end
  void Drain();  // Store::Drain

  // `run(Database&)` gives a Result<T>.
  template <class T, class F>
  void Call(F run, Done<T> done) {
    Post([run = std::move(run), done = std::move(done)](Database& db) mutable {
      db.ClearError();
      db.Run("BEGIN");
      Result<T> result = run(db);
      db.Run("COMMIT");
      if (db.failed()) {
        result = std::unexpected(db.failure());
        if (db.in_transaction()) sqlite3_exec(db.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
      }
      done(std::move(result));
    });
  }

 private:
  using Task = std::move_only_function<void(Database&)>;
  void Post(Task task);
  void Loop(Database& db);

  std::vector<std::unique_ptr<Database>> databases_;
  std::mutex mutex_;
  std::condition_variable posted_, idle_;
  std::deque<Task> waiting_;
  std::size_t busy_ = 0;  // threads with a task
  bool closing_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace glasspost::store
