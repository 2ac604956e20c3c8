#include "store/sqlite/writer.h"

#include <algorithm>

namespace glasspost::store {
namespace {

// Readers stand in the way of a WAL that begins anew; beyond so many times its length the writer waits for them.
constexpr std::uint64_t kLongWal = 4;
// Pages of the WAL when there is hardly room on the disk: it is to eat up no more of what is left.
constexpr std::uint64_t kShortWal = 256;
// How often a disk that was full is tried when nobody else does.
constexpr std::chrono::seconds kProbeEvery{2};

}  // namespace

Writer::Writer(Database& db, WriterLimits limits, WriterHooks hooks) : db_(db), limits_(limits), hooks_(std::move(hooks)) {
  sqlite3_wal_hook(
      db_.handle(),
      [](void* self, sqlite3*, const char*, int pages) {
        static_cast<Writer*>(self)->wal_pages_ = static_cast<std::uint64_t>(pages);
        return SQLITE_OK;
      },
      this);
  thread_ = std::thread([this] { Loop(); });
}

void Writer::Close() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
  }
  posted_.notify_one();
  thread_.join();
}

void Writer::Drain() {
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return waiting_.empty() && answered_; });
}

void Writer::Post(std::unique_ptr<Change> change) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = waiting_.empty();
    waiting_.push_back(std::move(change));
  }
  if (first) posted_.notify_one();
}

void Writer::Wake() {
  {
    const std::lock_guard lock(mutex_);
    chore_ = true;
  }
  posted_.notify_one();
}

// Empty: a chore, a disk that was full to be tried, or the end.
Writer::Batch Writer::TakeBatch() {
  if (taken_at_ == taken_.size()) {
    taken_.clear();
    taken_at_ = 0;
    std::unique_lock lock(mutex_);
    answered_ = true;
    if (waiting_.empty()) idle_.notify_all();
    const auto something = [this] { return !waiting_.empty() || closing_ || chore_; };
    if (!full()) {
      posted_.wait(lock, something);
    } else if (!posted_.wait_for(lock, kProbeEvery, something)) {
      return {};
    }
    taken_.swap(waiting_);
    answered_ = taken_.empty();
  }
  Batch batch;
  std::size_t octets = 0;
  while (taken_at_ < taken_.size() && batch.size() < limits_.batch_changes) {
    octets += taken_[taken_at_]->octets;
    if (octets > limits_.batch_octets && !batch.empty()) break;
    batch.push_back(std::move(taken_[taken_at_++]));
  }
  return batch;
}

void Writer::Loop() {
  for (;;) {
    Batch batch = TakeBatch();
    if (full() && std::chrono::steady_clock::now() >= next_probe_) Probe();
    if (!batch.empty()) {
      Commit(batch);
      CheckpointIfLong();
      continue;
    }
    bool chore = false;
    {
      const std::lock_guard lock(mutex_);
      if (closing_ && waiting_.empty()) return;
      chore = std::exchange(chore_, false);
    }
    if (chore) Chore();
  }
}

void Writer::Refuse(Batch& batch, const Failure& failure) {
  for (auto& change : batch) change->Answer(&failure);
}

void Writer::Commit(Batch& batch) {
  if (broken()) return Refuse(batch, {Fault::kBroken, "the storage has failed; nothing is written until a restart"});
  if (!TryTogether(batch)) return OneByOne(batch);
  for (auto& change : batch) change->Answer(nullptr);
}

void Writer::Note(int code) {
  if (FaultOf(code) == Fault::kFull) full_ = true;
  if (IsFinal(code)) broken_ = true;
}

// False: rolled back, and the error, if it was one, is still in db_.
bool Writer::Transaction(const std::function<bool()>& body) {
  db_.ClearError();
  const std::int64_t before = db_.total_changes();
  db_.Run("BEGIN IMMEDIATE");
  hooks_.begin(db_);
  const bool wanted = body();
  if (wanted && db_.Run("COMMIT")) {
    if (db_.total_changes() != before) full_ = false;  // else the disk was not asked
    ++commits_;
    hooks_.end(true);
    return true;
  }
  const int code = db_.error();
  Note(code);
  if (db_.in_transaction()) sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  hooks_.end(false);
  return false;
}

// False: nothing of it is done, because one change met an error or wrote before it refused.
bool Writer::TryTogether(Batch& batch) {
  const bool done = Transaction([&] {
    for (auto& change : batch) {
      const std::int64_t before = db_.total_changes();
      const bool accepted = change->Run(db_);
      if (db_.failed() || (!accepted && db_.total_changes() != before)) return false;
    }
    return !db_.failed();
  });
  if (done) changes_ += batch.size();
  return done;
}

// So that a change that cannot be done harms no other.
void Writer::OneByOne(Batch& batch) {
  for (auto& change : batch) {
    if (broken()) {
      const Failure failure{Fault::kBroken, db_.failed() ? db_.failure().text : "the storage has failed"};
      change->Answer(&failure);
      continue;
    }
    bool accepted = true;
    if (Transaction([&] { return (accepted = change->Run(db_)) && !db_.failed(); })) {
      ++changes_;
      change->Answer(nullptr);
    } else if (db_.failed()) {
      const Failure failure = db_.failure();
      change->Answer(&failure);
    } else {
      change->Answer(nullptr);
    }
  }
}

void Writer::Chore() {
  if (broken()) return;
  bool more = false;
  const bool done = Transaction([&] {
    const std::int64_t before = db_.total_changes();
    more = hooks_.chore(db_);
    return !db_.failed() && db_.total_changes() != before;  // else there is nothing to commit
  });
  if (done && more) {
    const std::lock_guard lock(mutex_);
    chore_ = true;
  }
}

// Whether the disk is still full: the WAL into the database first, since its room can be used again then.
void Writer::Probe() {
  next_probe_ = std::chrono::steady_clock::now() + kProbeEvery;
  if (broken()) return;
  db_.ClearError();
  db_.Checkpoint(SQLITE_CHECKPOINT_PASSIVE);
  if (db_.failed()) return Note(db_.error());
  Transaction([&] {
    db_.Run("INSERT INTO counter(name, value) VALUES('probes', 1) ON CONFLICT(name) DO UPDATE SET value = value + 1");
    return !db_.failed();
  });
}

void Writer::CheckpointIfLong() {
  if (wal_pages_ < checkpointed_) checkpointed_ = 0;  // it has begun anew
  const std::uint64_t limit = hooks_.short_of_room() ? std::min(limits_.checkpoint_pages, kShortWal) : limits_.checkpoint_pages;
  if (wal_pages_ < checkpointed_ + limit || broken()) return;
  db_.ClearError();
  const bool waits = wal_pages_ >= kLongWal * limits_.checkpoint_pages;
  db_.Checkpoint(waits ? SQLITE_CHECKPOINT_RESTART : SQLITE_CHECKPOINT_PASSIVE);
  if (db_.failed()) Note(db_.error());
  checkpointed_ = wal_pages_;  // if a reader keeps the WAL from beginning anew, the next one is as far away
}

}  // namespace glasspost::store
