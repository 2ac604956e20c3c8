#include "store/sqlite/sqlite_store.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "store/sqlite/engine.h"
#include "store/sqlite/folder_lock.h"
#include "store/sqlite/messages.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_conversations.h"
#include "store/sqlite/sqlite_directory.h"
#include "store/sqlite/sqlite_journeys.h"
#include "store/sqlite/sqlite_mailboxes.h"
#include "store/sqlite/sqlite_queue.h"
#include "store/sqlite/sqlite_receiver.h"

namespace glasspost::store {

std::int64_t Engine::NextId(Timestamp now) {
  std::int64_t last = last_id.load(std::memory_order_relaxed);
  std::int64_t next = 0;
  do {
    next = std::max(last + 1, now / 1000);
  } while (!last_id.compare_exchange_weak(last, next, std::memory_order_relaxed));
  return next;
}

namespace {

constexpr int kSweptRows = 500;                  // of mailboxes that were removed, in one transaction
constexpr std::int64_t kLatestEvents = 100'000;  // events among which the highest number of a conversation is looked for
constexpr int kReaderCacheKib = 8 * 1024;

std::int64_t Number(Database& db, const char* sql) {
  Query query(db, sql);
  return query.Next() ? query.Int(0) : 0;
}

void SetUp(Database& db, std::size_t cache_kib, bool without_sync) {
  db.Execute(without_sync ? "PRAGMA synchronous=OFF" : "PRAGMA synchronous=FULL");
  // secure_delete would write every page that is given back.
  db.Execute(
      "PRAGMA journal_mode=WAL; PRAGMA secure_delete=OFF; PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=0;"
      "PRAGMA journal_size_limit=67108864;");
  const std::string cache = "PRAGMA cache_size=-" + std::to_string(cache_kib);
  db.Execute(cache.c_str());
}

// What is in the WAL goes into the database before anything is added. A WAL whose fsync once failed reads well, as the system
// still has its pages, but they may never have reached the disk: whatever was added behind them would be lost with them in a
// power cut.
Result<void> SettleWal(Database& db) {
  if (!db.Checkpoint(SQLITE_CHECKPOINT_TRUNCATE) && db.failed() && IsFinal(db.error())) return std::unexpected(db.failure());
  db.ClearError();  // a full disk: mail can still be read
  return {};
}

// Leases of a process that is no more, messages that were never committed.
void TidyUp(Database& db) {
  db.Run("BEGIN IMMEDIATE");
  db.Run("UPDATE queue_entry SET ready = due, lease_owner = NULL, lease_until = 0 WHERE lease_owner IS NOT NULL");
  db.Run("DELETE FROM maildrop_lease");
  SweepReceiving(db);
  db.Run("COMMIT");
}

class SqliteStore final : public Store {
 public:
  SqliteStore(FolderLock lock, std::string folder, const SqliteOptions& options)
      : lock_(std::move(lock)),
        folder_(std::move(folder)),
        options_(options),
        engine_(options.listing_octets, FreeSpace(folder_, options.reserve_octets)) {}

  ~SqliteStore() override {
    if (engine_.readers) engine_.readers->Close();  // before the writer: a claim goes on from a reader to it
    if (engine_.writer) engine_.writer->Close();
    conversations_.reset();
    if (!engine_.writer || engine_.writer->broken()) return;
    engine_.db.ClearError();
    engine_.db.Checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
  }

  Expected<void> Open() {
    const std::string path = (std::filesystem::path(folder_) / "mail.db").string();
    if (Result<void> opened = OpenMail(path); !opened) return Fail(opened.error().text, path);
    const std::string other = (std::filesystem::path(folder_) / "conversations.db").string();
    const auto last = static_cast<std::uint64_t>(last_conversation_);
    auto conversations = SqliteConversations::Open(other, options_.vfs, options_.conversations, last, &engine_.free_space);
    if (!conversations) return Fail(conversations.error().text, other);
    conversations_ = std::move(*conversations);
    return {};
  }

  Directory& directory() override { return directory_; }
  Mailboxes& mailboxes() override { return mailboxes_; }
  Queue& queue() override { return queue_; }
  Journeys& journeys() override { return journeys_; }
  Conversations& conversations() override { return *conversations_; }
  std::unique_ptr<Receiver> Receive(Timestamp now) override {
    return std::make_unique<SqliteReceiver>(engine_, engine_.NextId(now));
  }
  void Drain() override {
    engine_.readers->Drain();  // before the writer: a claim goes on from a reader to it
    engine_.writer->Drain();
    conversations_->Drain();
  }
  StoreState state() const override {
    Writer& w = *engine_.writer;
    const std::uint64_t room = engine_.free_space.Room(engine_.reusable);
    // Who waits for room before he changes anything would wait for ever: what can be used again is counted by changes.
    if (room == 0 && !engine_.counted) w.Wake();
    return {w.broken(), w.full() || room == 0, room, w.commits(), w.changes()};
  }

 private:
  Result<void> OpenMail(const std::string& path) {
    Database& db = engine_.db;
    const auto use = options_.without_sync ? Database::Use::kWrite : Database::Use::kWriteSynced;
    if (Result<void> opened = db.Open(path, options_.vfs, use); !opened) return opened;
    SetUp(db, options_.cache_kib, options_.without_sync);
    if (Result<void> settled = SettleWal(db); !settled) return settled;
    if (Result<void> migrated = Migrate(db); !migrated) return migrated;
    TidyUp(db);
    engine_.journey.Load(db);
    LoadNumbers(db);
    std::vector<std::unique_ptr<Database>> readers;
    for (int i = 0; i < std::max(options_.readers, 1); ++i) {
      auto reader = std::make_unique<Database>();
      if (Result<void> opened = reader->Open(path, options_.vfs, Database::Use::kRead); !opened) return opened;
      SetUp(*reader, kReaderCacheKib, options_.without_sync);
      reader->Execute("PRAGMA query_only=ON");
      if (reader->failed()) return std::unexpected(reader->failure());
      readers.push_back(std::move(reader));
    }
    if (engine_.free_space.Low()) CountReusable();
    if (db.failed()) return std::unexpected(db.failure());
    engine_.readers = std::make_unique<Readers>(std::move(readers));
    StartWriter();
    return {};
  }

  void LoadNumbers(Database& db) {
    engine_.last_id =
        Number(db, "SELECT max(coalesce((SELECT max(id) FROM message), 0), coalesce((SELECT max(id) FROM queue_entry), 0))");
    Query query(
        db,
        "SELECT max(conversation), max(message) FROM (SELECT conversation, message FROM journey_event ORDER BY id DESC LIMIT ?)",
        kLatestEvents);
    if (!query.Next()) return;
    last_conversation_ = query.Int(0);
    engine_.last_id = std::max(engine_.last_id.load(), query.Int(1));
  }

  // Deleted mail leaves pages that new mail can use; asked only when the disk itself has no room for it.
  void CountReusable() {
    const std::int64_t pages = Number(engine_.db, "PRAGMA freelist_count"), octets = Number(engine_.db, "PRAGMA page_size");
    engine_.reusable = static_cast<std::uint64_t>(pages * octets);
    engine_.counted = true;
  }

  void StartWriter() {
    WriterHooks hooks;
    hooks.begin = [this](Database& db) {
      engine_.journey.Begin();
      hardly_room_ = engine_.free_space.Low();  // asked once a transaction
      if (!hardly_room_) {
        engine_.counted = false;
      } else if (!engine_.counted) {
        CountReusable();
      }
      engine_.low = hardly_room_ && engine_.free_space.Low(engine_.reusable);
      leases_ = engine_.locks.TakeChanges();
      for (const auto& [mailbox, lease] : leases_) {
        if (lease.owner.empty()) {
          db.Run("DELETE FROM maildrop_lease WHERE mailbox = ?", mailbox);
        } else {
          db.Run("INSERT OR REPLACE INTO maildrop_lease(mailbox, owner, until) VALUES(?, ?, ?)", mailbox, lease.owner,
                 lease.until);
        }
      }
    };
    hooks.end = [this](bool committed) {
      if (committed) {
        if (hardly_room_) CountReusable();
        return;
      }
      engine_.journey.RollBack();
      engine_.locks.PutBack(leases_);
    };
    hooks.chore = [](Database& db) { return SweepDoomed(db, kSweptRows); };
    hooks.short_of_room = [this] { return hardly_room_; };
    const WriterLimits limits{options_.batch_octets, options_.batch_changes, options_.checkpoint_pages};
    engine_.writer = std::make_unique<Writer>(engine_.db, limits, std::move(hooks));
  }

  FolderLock lock_;  // given back last
  const std::string folder_;
  const SqliteOptions options_;
  Engine engine_;
  MaildropLocks::Changes leases_;  // being written
  bool hardly_room_ = false;       // the writer's: when its transaction began the disk itself had none for new mail
  std::int64_t last_conversation_ = 0;
  SqliteDirectory directory_{engine_};
  SqliteMailboxes mailboxes_{engine_};
  SqliteQueue queue_{engine_};
  SqliteJourneys journeys_{engine_};
  std::unique_ptr<SqliteConversations> conversations_;
};

}  // namespace

Expected<std::unique_ptr<Store>> OpenSqliteStore(const std::string& folder, const SqliteOptions& options) {
  Expected<FolderLock> lock = FolderLock::Take(folder);
  if (!lock) return std::unexpected(lock.error());
  auto store = std::make_unique<SqliteStore>(std::move(*lock), folder, options);
  if (Expected<void> opened = store->Open(); !opened) return std::unexpected(opened.error());
  return store;
}

}  // namespace glasspost::store
