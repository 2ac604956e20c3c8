// A full disk, an fsync that fails, a folder in use, a newer schema, a crash at any time.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "store/sqlite/database.h"
#include "store/sqlite/schema.h"
#include "store/sqlite/sqlite_store.h"
#include "support/await.h"
#include "support/recording_vfs.h"
#include "support/temporary_folder.h"

namespace glasspost::store {
namespace {

std::unique_ptr<Store> Open(const std::string& folder, const std::string& vfs = "") {
  SqliteOptions options;
  options.vfs = vfs;
  options.checkpoint_pages = 200;
  auto store = OpenSqliteStore(folder, options);
  EXPECT_TRUE(store) << store.error().Text();
  return store ? std::move(*store) : nullptr;
}

LocalTarget AddUser(Store& store) {
  EXPECT_TRUE(Await<void>([&](auto done) { store.directory().AddDomain("a.test", {{{"u", ""}, {}, 0}}, 1, std::move(done)); }));
  return Await<Resolution>([&](auto done) { store.directory().Resolve({"u", "a.test"}, std::move(done)); })->mailboxes.at(0);
}

Result<Accepted> Deliver(Store& store, MailboxId mailbox, Octets octets) {
  auto receiver = store.Receive(1);
  if (auto taken = AwaitAppend(*receiver, octets); !taken) return std::unexpected(taken.error());
  Plan plan;
  plan.mailboxes.push_back({mailbox, "", 0});
  return Await<Accepted>([&](auto done) { receiver->Commit(std::move(plan), std::move(done)); });
}

std::size_t CountMessages(Store& store, MailboxId mailbox) {
  return Await<std::vector<MailboxMessage>>([&](auto done) { store.mailboxes().ListMessages(mailbox, 0, std::move(done)); })
      ->size();
}

TEST(StoreFaults, FullDiskIsSaidAndRecoversByItself) {
  RecordingVfs vfs("full");
  const TemporaryFolder folder;
  auto store = Open(folder.path(), "full");
  const LocalTarget user = AddUser(*store);
  const std::string large(300'000, 'x');
  ASSERT_TRUE(Deliver(*store, user.mailbox, large));
  vfs.FillDisk(true);
  for (const std::size_t size : {100'000u, 300'000u}) {
    const auto refused = Deliver(*store, user.mailbox, Octets(large).substr(0, size));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::kFull) << refused.error().text;
  }
  EXPECT_TRUE(store->state().full);
  EXPECT_FALSE(store->state().broken);
  EXPECT_EQ(CountMessages(*store, user.mailbox), 1u);  // who reads is not concerned
  vfs.FillDisk(false);
  ASSERT_TRUE(Deliver(*store, user.mailbox, large));
  EXPECT_FALSE(store->state().full);
  EXPECT_EQ(CountMessages(*store, user.mailbox), 2u);
  store.reset();
  store = Open(folder.path());
  EXPECT_EQ(CountMessages(*store, user.mailbox), 2u);
}

TEST(StoreFaults, FailedSyncIsFinalAndNeverRetried) {
  RecordingVfs vfs("fsync");
  const TemporaryFolder folder;
  auto store = Open(folder.path(), "fsync");
  const LocalTarget user = AddUser(*store);
  ASSERT_TRUE(Deliver(*store, user.mailbox, "first"));
  vfs.FailNextSync();
  const auto unknown = Deliver(*store, user.mailbox, "second");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().fault, Fault::kBroken);
  EXPECT_TRUE(store->state().broken);
  const std::uint64_t syncs = vfs.syncs(), writes = vfs.writes();
  const auto refused = Deliver(*store, user.mailbox, "third");  // the disk would take it
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().fault, Fault::kBroken);
  EXPECT_EQ(CountMessages(*store, user.mailbox), 1u);
  store.reset();  // no checkpoint either
  EXPECT_EQ(vfs.failed_syncs(), 1u);
  EXPECT_LE(vfs.syncs() - syncs, 0u);
  EXPECT_LE(vfs.writes() - writes, 0u);
  store = Open(folder.path());
  EXPECT_GE(CountMessages(*store, user.mailbox), 1u);
  EXPECT_LE(CountMessages(*store, user.mailbox), 2u);  // the second may be there: its fate was unknown
}

// The system's pages still show what the failed sync left out; a power cut takes it away with all that relied on it.
TEST(StoreFaults, WhatComesAfterAFailedSyncAndARestartSurvivesAPowerCut) {
  RecordingVfs vfs("after-fsync");
  const TemporaryFolder folder, left;
  auto store = Open(folder.path(), "after-fsync");
  const LocalTarget user = AddUser(*store);
  ASSERT_TRUE(Deliver(*store, user.mailbox, "first"));
  vfs.FailNextSync();
  ASSERT_FALSE(Deliver(*store, user.mailbox, "of unknown fate"));
  store.reset();
  store = Open(folder.path(), "after-fsync");
  ASSERT_TRUE(Deliver(*store, user.mailbox, "second"));
  const std::size_t there = CountMessages(*store, user.mailbox);
  const std::vector<DiskEvent> record = vfs.TakeRecord();
  store.reset();
  std::mt19937 random(1);
  for (const auto& [name, octets] : PowerCut(record, record.size(), Unsynced::kLost, random))
    std::ofstream(left / name, std::ios::binary) << octets;
  store = Open(left.path());
  ASSERT_TRUE(store);
  EXPECT_EQ(CountMessages(*store, user.mailbox), there);
}

TEST(StoreFaults, NewMailLeavesAReserveToThoseWhoMakeRoom) {
  const TemporaryFolder folder;
  MailboxId mailbox = 0;
  {
    auto store = Open(folder.path());
    mailbox = AddUser(*store).mailbox;
    ASSERT_TRUE(Deliver(*store, mailbox, "first"));
  }
  SqliteOptions options;
  options.reserve_octets = std::uint64_t{1} << 60;  // no disk has so much
  auto store = OpenSqliteStore(folder.path(), options);
  ASSERT_TRUE(store);
  for (const std::size_t size : {10u, 300'000u}) {
    const auto refused = Deliver(**store, mailbox, std::string(size, 'x'));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::kFull);
  }
  EXPECT_TRUE((*store)->state().full);
  (*store)->conversations().Append(1, "octets");
  EXPECT_EQ(CountMessages(**store, mailbox), 1u);
  ASSERT_TRUE(Await<void>([&](auto done) { (*store)->mailboxes().Expunge(mailbox, {1}, {}, std::move(done)); }));
  EXPECT_EQ(CountMessages(**store, mailbox), 0u);
  for (int i = 0; i < 500 && (*store)->conversations().dropped_octets() == 0; ++i) ::usleep(20'000);
  EXPECT_GT((*store)->conversations().dropped_octets(), 0u);
}

TEST(StoreFaults, AFullDiskIsTriedAgainWithoutAnybodyAsking) {
  RecordingVfs vfs("full-then-not");
  const TemporaryFolder folder;
  auto store = Open(folder.path(), "full-then-not");
  const LocalTarget user = AddUser(*store);
  vfs.FillDisk(true);
  ASSERT_FALSE(Deliver(*store, user.mailbox, std::string(60'000, 'x')));
  EXPECT_TRUE(store->state().full);
  vfs.FillDisk(false);
  for (int i = 0; i < 600 && store->state().full; ++i) ::usleep(20'000);
  EXPECT_FALSE(store->state().full);
}

TEST(StoreFaults, FailedSyncOfACheckpointIsFinal) {
  RecordingVfs vfs("checkpoint");
  const TemporaryFolder folder;
  auto store = Open(folder.path(), "checkpoint");
  const LocalTarget user = AddUser(*store);
  vfs.FailNextDatabaseSync();
  const std::string large(60'000, 'x');
  std::size_t acknowledged = 0;
  while (acknowledged < 1000 && Deliver(*store, user.mailbox, large)) ++acknowledged;
  EXPECT_EQ(vfs.failed_syncs(), 1u);
  EXPECT_GT(acknowledged, 2u);
  EXPECT_LT(acknowledged, 1000u);
  EXPECT_TRUE(store->state().broken);
  const std::uint64_t syncs = vfs.syncs();
  store.reset();
  EXPECT_EQ(vfs.syncs(), syncs);
  store = Open(folder.path());
  EXPECT_EQ(CountMessages(*store, user.mailbox), acknowledged);
}

TEST(StoreFaults, SecondOpenerIsTold) {
  const TemporaryFolder folder;
  auto store = Open(folder.path());
  const auto second = OpenSqliteStore(folder.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().what, "the data folder is in use by process " + std::to_string(::getpid()));
  store.reset();
  EXPECT_TRUE(Open(folder.path()));
}

TEST(StoreFaults, NewerSchemaIsRefusedAndOlderIsBroughtUpToDate) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/mail.db";
  {
    Database db;
    ASSERT_TRUE(db.Open(path, "", Database::Use::kWrite));
    for (int version = 0; version <= kSchemaVersion; ++version) {
      ASSERT_TRUE(MigrateTo(db, version));
      Query query(db, "PRAGMA user_version");
      ASSERT_TRUE(query.Next());
      EXPECT_EQ(query.Int(0), version);
    }
    ASSERT_TRUE(Migrate(db));  // nothing left to do
    db.Execute("PRAGMA user_version=1000");
  }
  const auto newer = OpenSqliteStore(folder.path());
  ASSERT_FALSE(newer);
  EXPECT_NE(newer.error().what.find("schema version 1000"), std::string::npos);
}

TEST(StoreFaults, SpoiledConversationsAreBegunAnew) {
  const TemporaryFolder folder;
  ASSERT_TRUE(Open(folder.path()));
  {
    std::FILE* const file = std::fopen((folder.path() + "/conversations.db").c_str(), "wb");
    ASSERT_NE(file, nullptr);
    std::fwrite("this is no database, whatever its name says", 1, 43, file);
    std::fclose(file);
  }
  auto store = Open(folder.path());
  ASSERT_TRUE(store);
  store->conversations().Append(1, "octets");
  store->conversations().Finish({1, 1, 2, "smtp", "", "", 0});
  EXPECT_TRUE(Await<ConversationHead>([&](auto done) { store->conversations().Find(1, std::move(done)); }));
}

// The child: delivers until it is killed and says each acknowledged number.
[[noreturn]] void DeliverUntilKilled(const std::string& folder, int pipe_end, int first) {
  auto store = OpenSqliteStore(folder);
  if (!store) ::_exit(1);
  auto found = Await<Resolution>([&](auto done) { (*store)->directory().Resolve({"u", "a.test"}, std::move(done)); });
  const MailboxId mailbox = found->mailboxes.at(0).mailbox;
  std::mutex mutex;
  std::condition_variable free_place;
  int under_way = 0;
  for (int number = first;; ++number) {
    {
      std::unique_lock lock(mutex);
      free_place.wait(lock, [&] { return under_way < 16; });
      ++under_way;
    }
    std::mt19937 random(static_cast<unsigned>(number));
    auto receiver = (*store)->Receive(1);
    std::string text = std::to_string(number) + "\r\n" + std::string(random() % 9000, static_cast<char>('a' + number % 26));
    receiver->Append(text, [](Result<void>) {});
    Plan plan;
    plan.mailboxes.push_back({mailbox, "", 0});
    plan.entries.push_back({std::to_string(number) + "@b.test", "b.test", "", 0, 1, false});
    receiver->Commit(std::move(plan), [&, number](Result<Accepted> r) {
      if (r && ::write(pipe_end, &number, sizeof number) != sizeof number) ::_exit(1);
      const std::lock_guard lock(mutex);
      --under_way;
      free_place.notify_one();
    });
  }
}

TEST(StoreFaults, KilledUnderLoad) {
  const TemporaryFolder folder;
  MailboxId mailbox = 0;
  {
    auto store = Open(folder.path());
    mailbox = AddUser(*store).mailbox;
  }
  std::map<int, int> acknowledged;
  std::mt19937 random(3);
  const int rounds = std::getenv("GLASSPOST_LONG") != nullptr ? 100 : 8;
  for (int round = 0; round < rounds; ++round) {
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = ::fork();
    if (child == 0) DeliverUntilKilled(folder.path(), ends[1], 1 + round * 1'000'000);
    ::close(ends[1]);
    int number = 0;
    for (unsigned left = 1 + random() % 200; ::read(ends[0], &number, sizeof number) == sizeof number;) {
      ++acknowledged[number];
      if (--left == 0) {
        ::usleep(random() % 2000);
        ::kill(child, SIGKILL);
      }
    }
    ::close(ends[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
  }
  auto store = Open(folder.path());
  std::map<int, int> found, queued;
  std::uint32_t after = 0;
  for (;;) {
    auto page =
        Await<std::vector<MailboxMessage>>([&](auto done) { store->mailboxes().ListMessages(mailbox, after, std::move(done)); });
    if (!page || page->empty()) break;
    after = page->back().uid;
    for (const MailboxMessage& m : *page) {
      auto text = Await<ReadAnswer>([&](auto done) {
        store->mailboxes().Read({mailbox, m.uid, 0, MessageLimits::kChunk, false}, std::move(done));
      });
      ASSERT_TRUE(text);
      const int number = std::atoi(text->octets.c_str());
      std::mt19937 again(static_cast<unsigned>(number));
      EXPECT_EQ(text->octets,
                std::to_string(number) + "\r\n" + std::string(again() % 9000, static_cast<char>('a' + number % 26)));
      ++found[number];
    }
  }
  EntryId last = 0;
  for (;;) {
    auto page = Await<std::vector<Entry>>([&](auto done) {
      store->queue().List({"", "", 0, last, 1000, false}, std::move(done));
    });
    if (!page || page->empty()) break;
    last = page->back().id;
    for (const Entry& entry : *page) ++queued[std::atoi(entry.entry.recipient.c_str())];
  }
  EXPECT_EQ(found, queued);
  for (const auto& [number, times] : found) EXPECT_EQ(times, 1) << number;
  for (const auto& [number, times] : acknowledged) EXPECT_TRUE(found.contains(number)) << number;
  EXPECT_GT(acknowledged.size(), 20u);
}

}  // namespace
}  // namespace glasspost::store
