#include "store/sqlite/sqlite_conversations.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "store/receiver.h"

namespace glasspost::store {
namespace {

constexpr std::size_t kTaskOctets = 256;  // what a task costs beside its octets
constexpr int kVersion = 1;
// Short conversations share pages: ten of them written together cost little more than one. Nobody waits for that, so they gather.
constexpr std::chrono::milliseconds kGather{10};
constexpr std::size_t kGatherOctets = 1024 * 1024;

// `octets` of a part is kept beside it, so that the bounds are kept without reading what is thrown away.
constexpr const char* kSchema = R"sql(
CREATE TABLE conversation(number INTEGER PRIMARY KEY, begin INTEGER NOT NULL, end INTEGER NOT NULL, protocol TEXT NOT NULL,
  peer TEXT NOT NULL, summary BLOB NOT NULL, octets INTEGER NOT NULL);
CREATE TABLE part(number INTEGER, at INTEGER, octets BLOB NOT NULL, PRIMARY KEY(number, at)) WITHOUT ROWID;
PRAGMA user_version=1;
)sql";

#define GLASSPOST_HEAD_SELECT "SELECT number, begin, end, protocol, peer, summary, octets FROM conversation"

ConversationHead ReadHead(const Query& row) {
  return {static_cast<std::uint64_t>(row.Int(0)), row.Int(1), row.Int(2), row.Text(3), row.Text(4), row.Text(5),
          static_cast<std::uint64_t>(row.Int(6))};
}

std::int64_t Number(Database& db, const char* sql) {
  Query query(db, sql);
  return query.Next() ? query.Int(0) : 0;
}

}  // namespace

SqliteConversations::SqliteConversations(std::string path, std::string vfs, ConversationBounds bounds,
                                         const FreeSpace* free_space)
    : path_(std::move(path)), vfs_(std::move(vfs)), bounds_(bounds), free_space_(free_space) {}

Result<std::unique_ptr<SqliteConversations>> SqliteConversations::Open(const std::string& path, const std::string& vfs,
                                                                       ConversationBounds bounds, std::uint64_t last_number,
                                                                       const FreeSpace* free_space) {
  std::unique_ptr<SqliteConversations> self(new SqliteConversations(path, vfs, bounds, free_space));
  if (Result<void> opened = self->OpenFile(); !opened) {
    self->BeginAnew();
    if (!self->db_.is_open()) return std::unexpected(opened.error());
  }
  self->last_number_ = std::max<std::uint64_t>(last_number, static_cast<std::uint64_t>(std::max<std::int64_t>(
                                                                Number(self->db_, "SELECT max(number) FROM conversation"), 0)));
  self->thread_ = std::thread([s = self.get()] { s->Loop(); });
  return self;
}

SqliteConversations::~SqliteConversations() {
  if (thread_.joinable()) {
    {
      const std::lock_guard lock(mutex_);
      closing_ = true;
    }
    posted_.notify_one();
    thread_.join();
  }
}

Result<void> SqliteConversations::OpenFile() {
  if (Result<void> opened = db_.Open(path_, vfs_, Database::Use::kWrite); !opened) return opened;
  db_.ClearError();
  // Parts are tens of thousands of octets, and each page costs calls of the system. A file that is there keeps its page size.
  // What is checkpointed is read once more: 4 MiB are still at hand then.
  db_.Execute(
      "PRAGMA page_size=16384; PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA secure_delete=OFF;"
      "PRAGMA wal_autocheckpoint=256; PRAGMA journal_size_limit=16777216;");
  const std::int64_t version = Number(db_, "PRAGMA user_version");
  if (version == 0) db_.Execute(kSchema);
  db_.Run("DELETE FROM part WHERE number NOT IN (SELECT number FROM conversation)");  // begun, never finished
  count_ = static_cast<std::uint64_t>(Number(db_, "SELECT count(*) FROM conversation"));
  octets_ = static_cast<std::uint64_t>(Number(db_, "SELECT sum(octets) FROM conversation"));
  latest_ = Number(db_, "SELECT max(end) FROM conversation");
  if (!db_.failed() && version <= kVersion) return {};
  Failure failure = db_.failed() ? db_.failure() : Failure{Fault::kInvalid, path_ + " was written by a newer program"};
  db_.Close();
  return std::unexpected(std::move(failure));
}

void SqliteConversations::BeginAnew() {
  db_.Close();
  for (const char* suffix : {"", "-wal", "-shm"}) ::unlink((path_ + suffix).c_str());
  static_cast<void>(OpenFile());  // if that fails too, tasks see a closed database
}

bool SqliteConversations::Post(Task task, bool may_drop) {
  task.may_drop = may_drop;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (may_drop && waiting_octets_ + task.octets > bounds_.waiting_octets) return false;
    waiting_octets_ += task.octets;
    waiting_.push_back(std::move(task));
    wake = waiting_.size() == 1 || (!awaited_ && !may_drop) || waiting_octets_ >= kGatherOctets;
    awaited_ = awaited_ || !may_drop;
  }
  if (wake) posted_.notify_one();
  return true;
}

void SqliteConversations::Drain() {
  std::unique_lock lock(mutex_);
  awaited_ = true;
  posted_.notify_one();
  idle_.wait(lock, [this] { return waiting_.empty() && !busy_; });
}

void SqliteConversations::Loop() {
  for (;;) {
    std::vector<Task> tasks;
    {
      std::unique_lock lock(mutex_);
      busy_ = false;
      if (waiting_.empty()) idle_.notify_all();
      posted_.wait(lock, [this] { return !waiting_.empty() || closing_; });
      posted_.wait_for(lock, kGather, [this] { return awaited_ || closing_ || waiting_octets_ >= kGatherOctets; });
      if (waiting_.empty()) return;
      tasks.swap(waiting_);
      waiting_octets_ = 0;
      awaited_ = false;
      busy_ = true;
    }
    RunAll(tasks);
  }
}

void SqliteConversations::RunAll(std::vector<Task>& tasks) {
  db_.ClearError();
  if (db_.is_open()) db_.Run("BEGIN");
  const bool low = free_space_->Low();
  for (Task& task : tasks) {
    if (low && task.may_drop) {
      dropped_ += task.octets;
    } else {
      task.run(db_);
    }
  }
  if (!db_.is_open()) return;
  db_.Run("COMMIT");
  if (!db_.failed()) return;
  const bool spoiled = IsFinal(db_.error());
  if (db_.in_transaction()) sqlite3_exec(db_.handle(), "ROLLBACK", nullptr, nullptr, nullptr);
  db_.ClearError();
  if (spoiled) return BeginAnew();
  count_ = static_cast<std::uint64_t>(Number(db_, "SELECT count(*) FROM conversation"));
  octets_ = static_cast<std::uint64_t>(Number(db_, "SELECT sum(octets) FROM conversation"));
}

void SqliteConversations::KeepWithinBounds() {
  const Timestamp oldest = latest_ - bounds_.age_seconds * 1'000'000'000;
  for (;;) {
    std::int64_t number = 0, octets = 0;
    {
      Query query(db_, "SELECT number, octets, end FROM conversation ORDER BY number LIMIT 1");
      if (!query.Next()) return;
      if (count_ <= bounds_.count && octets_ <= bounds_.octets && query.Int(2) >= oldest) return;
      number = query.Int(0);
      octets = query.Int(1);
    }
    db_.Run("DELETE FROM part WHERE number = ?", number);
    db_.Run("DELETE FROM conversation WHERE number = ?", number);
    if (db_.failed()) return;
    --count_;
    octets_ -= static_cast<std::uint64_t>(octets);
  }
}

void SqliteConversations::Append(std::uint64_t number, std::string part) {
  const std::size_t octets = part.size();
  if (octets == 0) return;
  Task task{[number, part = std::move(part)](Database& db) {
              db.Run(
                  "INSERT INTO part(number, at, octets) VALUES(?1,"
                  " coalesce((SELECT at + length(octets) FROM part WHERE number = ?1 ORDER BY at DESC LIMIT 1), 0), ?2)",
                  number, Blob{part});
            },
            octets + kTaskOctets};
  if (!Post(std::move(task), true)) dropped_ += octets;
}

void SqliteConversations::WriteHead(Database& db, const ConversationHead& head) {
  std::int64_t octets = 0;
  {
    Query query(db, "SELECT at + length(octets) FROM part WHERE number = ? ORDER BY at DESC LIMIT 1", head.number);
    if (query.Next()) octets = query.Int(0);
  }
  octets += static_cast<std::int64_t>(head.summary.size() + kTaskOctets);  // the head is not free either
  db.Run("INSERT OR REPLACE INTO conversation(number, begin, end, protocol, peer, summary, octets) VALUES(?, ?, ?, ?, ?, ?, ?)",
         head.number, head.begin, head.end, head.protocol, head.peer, Blob{head.summary}, octets);
  if (db.failed()) return;
  ++count_;
  octets_ += static_cast<std::uint64_t>(octets);
  latest_ = std::max(latest_, head.end);
  KeepWithinBounds();
}

void SqliteConversations::Finish(ConversationHead head) {
  const std::size_t octets = head.summary.size() + head.peer.size() + kTaskOctets;
  if (!Post({[this, head = std::move(head)](Database& db) { WriteHead(db, head); }, octets}, true)) dropped_ += octets;
}

void SqliteConversations::List(ConversationSelection selection, Done<std::vector<ConversationHead>> done) {
  Post({[selection = std::move(selection), done = std::move(done)](Database& db) mutable {
         std::vector<ConversationHead> heads;
         if (!db.is_open()) return done(Refuse(Fault::kFailed, "there is no file for conversations"));
         {
           const std::int64_t before = static_cast<std::int64_t>(std::min<std::uint64_t>(selection.before, 1ull << 62));
           Query query(db,
                       GLASSPOST_HEAD_SELECT
                       " WHERE number < ?1 AND (?2 = '' OR protocol = ?2) AND (?3 = '' OR substr(peer, 1, length(?3)) = ?3)"
                       " AND end >= ?5 ORDER BY number DESC LIMIT ?4",
                       before, selection.protocol, selection.peer, std::min<std::size_t>(selection.limit, DirectoryLimits::kPage),
                       selection.ended_since);
           while (query.Next()) heads.push_back(ReadHead(query));
         }
         if (db.failed()) return done(std::unexpected(db.failure()));
         done(std::move(heads));
       }},
       false);
}

void SqliteConversations::Find(std::uint64_t number, Done<ConversationHead> done) {
  Post({[number, done = std::move(done)](Database& db) mutable {
         if (!db.is_open()) return done(Refuse(Fault::kFailed, "there is no file for conversations"));
         Result<ConversationHead> head = Refuse(Fault::kNotFound, "no such conversation");
         {
           Query query(db, GLASSPOST_HEAD_SELECT " WHERE number = ?", number);
           if (query.Next()) head = ReadHead(query);
         }
         if (db.failed()) head = std::unexpected(db.failure());
         done(std::move(head));
       }},
       false);
}

void SqliteConversations::Read(std::uint64_t number, std::uint64_t offset, std::size_t length, Done<std::string> done) {
  Post({[number, offset, length = std::min(length, MessageLimits::kChunk), done = std::move(done)](Database& db) mutable {
         if (!db.is_open()) return done(Refuse(Fault::kFailed, "there is no file for conversations"));
         std::string octets;
         {
           Query query(db,
                       "SELECT at, octets FROM part WHERE number = ?1 AND at >="
                       " coalesce((SELECT max(at) FROM part WHERE number = ?1 AND at <= ?2), 0) AND at < ?3 ORDER BY at",
                       number, offset, offset + length);
           while (query.Next() && octets.size() < length) {
             const std::uint64_t from = offset + octets.size() - static_cast<std::uint64_t>(query.Int(0));
             if (from < query.At(1).size()) octets += query.At(1).substr(from, length - octets.size());
           }
         }
         if (db.failed()) return done(std::unexpected(db.failure()));
         done(std::move(octets));
       }},
       false);
}

}  // namespace glasspost::store
