// The one thread that changes mail.db. Changes are carried out in the order in which they were posted; a batch of them is one
// transaction with one fsync, and what is posted meanwhile is the next batch: nobody waits for a timer.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "store/sqlite/database.h"

namespace glasspost::store {

struct WriterLimits {
  std::size_t batch_octets = 0;
  std::size_t batch_changes = 0;
  std::uint64_t checkpoint_pages = 0;
};

// What the writer does beside changes.
struct WriterHooks {
  std::function<void(Database&)> begin = [](Database&) {};  // first in every transaction
  std::function<void(bool)> end = [](bool) {};              // whether it was committed; before the answers
  std::function<bool(Database&)> chore = [](Database&) {
    return false;
  };                                                           // a piece of work when nothing waits; true: there is more
  std::function<bool()> short_of_room = [] { return false; };  // the WAL is to stay short
};

class Writer {
 public:
  class Change {
   public:
    virtual ~Change() = default;
    // Carries itself out; false: refused (the reason is kept for Answer). May be called again after a rollback.
    virtual bool Run(Database& db) = 0;
    virtual void Answer(const Failure* failure) = 0;  // null: as Run said
    std::size_t octets = 0;
  };

  Writer(Database& db, WriterLimits limits, WriterHooks hooks);
  ~Writer() { Close(); }
  void Close();  // carries out what waits, and what that posts; then the thread ends
  void Drain();  // Store::Drain

  void Post(std::unique_ptr<Change> change);
  // `run(Database&)` gives a Result<T>, on the writer's thread, possibly more than once; it must not consume what it holds. If it
  // gives a Failure after having written, that is taken back.
  template <class T, class F>
  void Call(F run, Done<T> done, std::size_t octets = 0);

  // There is a chore.
  void Wake();

  bool broken() const { return broken_.load(std::memory_order_relaxed); }
  bool full() const { return full_.load(std::memory_order_relaxed); }
  std::uint64_t commits() const { return commits_.load(std::memory_order_relaxed); }
  std::uint64_t changes() const { return changes_.load(std::memory_order_relaxed); }

 private:
  using Batch = std::vector<std::unique_ptr<Change>>;

  void Loop();
  Batch TakeBatch();
  void Commit(Batch& batch);
  bool TryTogether(Batch& batch);
  void OneByOne(Batch& batch);
  bool Transaction(const std::function<bool()>& body);
  void Refuse(Batch& batch, const Failure& failure);
  void Note(int code);
  void Chore();
  void Probe();
  void CheckpointIfLong();

  Database& db_;
  const WriterLimits limits_;
  WriterHooks hooks_;
  std::uint64_t wal_pages_ = 0;
  std::uint64_t checkpointed_ = 0;  // its length at the last checkpoint, if it has not begun anew since
  std::chrono::steady_clock::time_point next_probe_;

  std::atomic<bool> broken_ = false, full_ = false;
  std::atomic<std::uint64_t> commits_ = 0, changes_ = 0;

  std::mutex mutex_;
  std::condition_variable posted_, idle_;
  std::vector<std::unique_ptr<Change>> waiting_;  // guarded by mutex_, as are the next three
  bool answered_ = true;                          // all that was taken, and it is gone
  bool closing_ = false;
  bool chore_ = true;
  std::vector<std::unique_ptr<Change>> taken_;  // the writer's: what of waiting_ it has moved over, from taken_at_ on
  std::size_t taken_at_ = 0;
  std::thread thread_;
};

template <class T, class F>
void Writer::Call(F run, Done<T> done, std::size_t octets) {
  struct Call final : Change {
    Call(F f, Done<T> d) : run(std::move(f)), done(std::move(d)) {}
    bool Run(Database& db) override {
      result = run(db);
      return result.has_value();
    }
    void Answer(const Failure* failure) override {
      if (failure != nullptr) result = std::unexpected(*failure);
      done(std::move(result));
    }
    F run;
    Done<T> done;
    Result<T> result;
  };
  auto change = std::make_unique<Call>(std::move(run), std::move(done));
  change->octets = octets;
  Post(std::move(change));
}

}  // namespace glasspost::store
