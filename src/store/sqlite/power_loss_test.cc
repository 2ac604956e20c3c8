// A power cut at any instant: every acknowledged recipient is there exactly once with every octet, what was not acknowledged is
// there as a whole or not at all. And the same without any fsync must fail, or this test would prove nothing.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <set>
#include <thread>

#include "store/sqlite/sqlite_store.h"
#include "support/await.h"
#include "support/recording_vfs.h"
#include "support/temporary_folder.h"

namespace glasspost::store {
namespace {

constexpr int kMailboxes = 6;
constexpr int kThreads = 4;
constexpr Timestamp kDay = 86'400'000'000'000;

bool Long() { return std::getenv("GLASSPOST_LONG") != nullptr; }

// Messages are made of their number alone.
std::string Content(int number) {
  std::mt19937 random(static_cast<unsigned>(number));
  const std::size_t size = number % 7 == 0 ? 70'000 + random() % 150'000 : 20 + random() % 6000;
  std::string text = std::to_string(number) + "\r\n";
  while (text.size() < size) text += static_cast<char>('a' + random() % 26);
  return text;
}

struct Fate {
  bool offered = false, accepted = false;
  std::set<int> mailboxes;  // of the plan
  int moved_to = -1;        // a queue entry, later laid into this mailbox
  bool moving = false, moved = false;
  std::map<int, int> deleted;  // mailbox → 1 begun, 2 acknowledged
};
using Fates = std::map<int, Fate>;

// "offer N m,m q" and so on, as they stand in the record.
void Take(Fates& fates, const std::string& mark) {
  std::istringstream in(mark);
  std::string verb;
  int number = 0, mailbox = 0;
  in >> verb >> number;
  Fate& fate = fates[number];
  if (verb == "offer") {
    fate.offered = true;
    in >> fate.moved_to;
    while (in >> mailbox) fate.mailboxes.insert(mailbox);
  }
  if (verb == "accept") fate.accepted = true;
  if (verb == "move") fate.moving = true;
  if (verb == "moved") fate.moved = true;
  if (verb == "delete" && in >> mailbox) fate.deleted[mailbox] = 1;
  if (verb == "deleted" && in >> mailbox) fate.deleted[mailbox] = 2;
}

struct World {
  Store& store;
  RecordingVfs* vfs;
  std::vector<LocalTarget> mailboxes;

  void Mark(const std::string& text) const {
    if (vfs != nullptr) vfs->Mark(text);
  }
};

std::vector<LocalTarget> Targets(Store& store) {
  std::vector<LocalTarget> targets;
  for (int i = 0; i < kMailboxes; ++i) {
    auto found = Await<Resolution>([&](auto done) {
      store.directory().Resolve({"u" + std::to_string(i), "a.test"}, std::move(done));
    });
    if (found && !found->mailboxes.empty()) targets.push_back(found->mailboxes.front());
  }
  return targets;
}

void Offer(const World& world, int number, std::mt19937& random) {
  std::set<int> to;
  const bool queued = random() % 2 == 0;
  for (unsigned i = random() % 3 + (queued ? 0 : 1); i > 0; --i) to.insert(static_cast<int>(random() % kMailboxes));
  std::string mark = "offer " + std::to_string(number) + " " + (queued ? std::to_string(number % kMailboxes) : "-1");
  Plan plan;
  for (const int m : to) {
    mark += " " + std::to_string(m);
    plan.mailboxes.push_back({world.mailboxes[static_cast<std::size_t>(m)].mailbox, "X: " + std::to_string(m) + "\r\n", 0});
  }
  if (queued) plan.entries.push_back({"r" + std::to_string(number) + "@b.test", "b.test", "", 0, 1, false});
  plan.events.push_back({1, 0, 1, 7, "s@a.test", "", std::to_string(number), "", ""});
  world.Mark(mark);
  const std::string content = Content(number);
  auto receiver = world.store.Receive(1);
  const auto taken = AwaitAppend(*receiver, content, 50'000);
  ASSERT_TRUE(taken) << taken.error().text;
  auto accepted = Await<Accepted>([&](Done<Accepted> done) {
    receiver->Commit(std::move(plan), [&, done = std::move(done)](Result<Accepted> r) mutable {
      if (r) world.Mark("accept " + std::to_string(number));
      done(std::move(r));
    });
  });
  ASSERT_TRUE(accepted) << accepted.error().text;
}

// Claims what is due and lays each into the mailbox that its offer named.
void Move(const World& world, int thread, const std::map<int, int>& moves) {
  const Lease lease{"t" + std::to_string(thread), kDay};
  auto claimed = Await<std::vector<Entry>>([&](auto done) {
    world.store.queue().ClaimDue({lease, 5, 3, 3, {}}, std::move(done));
  });
  ASSERT_TRUE(claimed);
  for (const Entry& entry : *claimed) {
    const int number = std::atoi(entry.entry.recipient.c_str() + 1);
    const auto to = moves.find(number);
    if (to == moves.end()) continue;
    world.Mark("move " + std::to_string(number));
    Outcome outcome{
        entry.id,  Outcome::Kind::kDelivered, 0, 1, "", 0, world.mailboxes[static_cast<std::size_t>(to->second)].mailbox,
        "M: 1\r\n"};
    auto settled = Await<std::vector<bool>>([&](Done<std::vector<bool>> done) {
      world.store.queue().Settle(lease.owner, {outcome}, {}, [&, done = std::move(done)](Result<std::vector<bool>> r) mutable {
        if (r) world.Mark("moved " + std::to_string(number));
        done(std::move(r));
      });
    });
    ASSERT_TRUE(settled && settled->at(0));
  }
}

std::string ReadAll(Store& store, MailboxId mailbox, std::uint32_t uid) {
  std::string all;
  for (bool last = false; !last;) {
    auto piece = Await<ReadAnswer>([&](auto done) {
      store.mailboxes().Read({mailbox, uid, all.size(), 100'000, false}, std::move(done));
    });
    if (!piece) return "(unreadable)";
    all += piece->octets;
    last = piece->pieces.front().last || piece->octets.empty();
  }
  return all;
}

void Delete(const World& world, int thread, std::mt19937& random) {
  const int which = static_cast<int>(random() % kMailboxes);
  const LocalTarget& target = world.mailboxes[static_cast<std::size_t>(which)];
  const std::string owner = "p" + std::to_string(thread);
  auto drop = Await<Maildrop>([&](auto done) {
    world.store.mailboxes().OpenMaildrop(target.account, {owner, kDay}, 1, std::move(done));
  });
  if (!drop) return;  // in use
  if (drop->items->empty()) return world.store.mailboxes().ReleaseMaildrop(target.mailbox, owner);
  const std::uint32_t uid = drop->items->front().uid;
  const std::string text = ReadAll(world.store, target.mailbox, uid);
  const std::string what = text.substr(text.find("\r\n") + 2);
  const std::string id = std::to_string(std::atoi(what.c_str())) + " " + std::to_string(which);
  world.Mark("delete " + id);
  auto done = Await<void>([&](Done<void> d) {
    world.store.mailboxes().UpdateMaildrop(target.mailbox, owner, {uid}, {}, [&, d = std::move(d)](Result<void> r) mutable {
      if (r) world.Mark("deleted " + id);
      d(std::move(r));
    });
  });
  ASSERT_TRUE(done);
}

SqliteOptions SmallOptions(const std::string& vfs) {
  SqliteOptions options;
  options.vfs = vfs;
  options.checkpoint_pages = 60;  // so that there are many
  options.readers = 1;
  return options;
}

// A folder's whole life under load, as a record.
std::vector<DiskEvent> RecordLoad(bool without_sync, int messages) {
  const TemporaryFolder folder;
  RecordingVfs vfs(without_sync ? "record-without-sync" : "record");
  SqliteOptions options = SmallOptions(vfs.name());
  options.without_sync = without_sync;
  auto store = OpenSqliteStore(folder.path(), options);
  EXPECT_TRUE(store) << store.error().Text();
  std::vector<NewAccount> accounts;
  for (int i = 0; i < kMailboxes; ++i) accounts.push_back({{"u" + std::to_string(i), ""}, {}, 0});
  EXPECT_TRUE(Await<void>([&](auto done) { (*store)->directory().AddDomain("a.test", accounts, kDay, std::move(done)); }));
  vfs.Mark("ready");
  const World world{**store, &vfs, Targets(**store)};
  std::mutex mutex;
  std::map<int, int> moves;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      std::mt19937 random(static_cast<unsigned>(t));
      for (int i = 0; i < messages / kThreads; ++i) {
        const int number = 1 + t + i * kThreads;
        Offer(world, number, random);
        const std::lock_guard lock(mutex);  // one mover at a time, so that marks of a message are in order
        moves[number] = number % kMailboxes;
        if (random() % 4 == 0) Move(world, t, moves);
        if (random() % 3 == 0) Delete(world, t, random);
        (*store)->conversations().Append((*store)->conversations().NextNumber(), "octets");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  store->reset();
  return vfs.TakeRecord();
}

// Where each message is: mailbox index → times, and times in the queue.
struct Found {
  std::map<int, int> in_mailbox;
  int in_queue = 0;
  bool spoiled = false;
};

std::map<int, Found> LookInto(Store& store) {
  std::map<int, Found> found;
  const std::vector<LocalTarget> targets = Targets(store);
  for (std::size_t m = 0; m < targets.size(); ++m) {
    auto list = Await<std::vector<MailboxMessage>>(
        [&](auto done) { store.mailboxes().ListMessages(targets[m].mailbox, 0, std::move(done)); });
    if (!list) continue;
    for (const MailboxMessage& message : *list) {
      const std::string text = ReadAll(store, targets[m].mailbox, message.uid);
      const std::string body = text.substr(text.find("\r\n") + 2);
      const int number = std::atoi(body.c_str());
      ++found[number].in_mailbox[static_cast<int>(m)];
      if (body != Content(number) || text.size() != message.size) found[number].spoiled = true;
    }
  }
  auto list = Await<std::vector<Entry>>([&](auto done) { store.queue().List({"", "", 0, 0, 1000, false}, std::move(done)); });
  if (!list) return found;
  for (const Entry& entry : *list) {
    const int number = std::atoi(entry.entry.recipient.c_str() + 1);
    ++found[number].in_queue;
    std::string body;
    for (;;) {
      auto piece = Await<std::string>(
          [&](auto done) { store.mailboxes().ReadMessage(entry.message, body.size(), 100'000, std::move(done)); });
      if (!piece || piece->empty()) break;
      body += *piece;
    }
    if (body != Content(number)) found[number].spoiled = true;
  }
  return found;
}

// What is wrong with one message; empty if nothing.
std::string Fault(const Fate& fate, const Found& found) {
  if (found.spoiled) return "octets differ";
  const int moved_to = fate.moved_to;
  std::map<int, int> low, high;  // how often it may be in each mailbox
  for (const int m : fate.mailboxes) {
    const auto deleted = fate.deleted.find(m);
    (low[m] += deleted == fate.deleted.end() ? 1 : 0, high[m] += deleted != fate.deleted.end() && deleted->second == 2 ? 0 : 1);
  }
  const bool nothing = found.in_mailbox.empty() && found.in_queue == 0;
  if (!fate.accepted && nothing) return "";
  if (!fate.offered) return "never offered";
  if (moved_to >= 0) {
    const bool ever_deleted = fate.deleted.contains(moved_to);
    if (fate.moved && found.in_queue != 0) return "still queued";
    if (!fate.moving && found.in_queue != 1) return "not queued";
    if (found.in_queue > 1) return "queued twice";
    if (found.in_queue == 0) {
      high[moved_to] += 1;
      low[moved_to] += ever_deleted ? 0 : 1;
    }
    if (ever_deleted) high[moved_to] = std::max(high[moved_to], 1), low[moved_to] = 0;
  }
  for (const auto& [m, times] : found.in_mailbox) {
    if (times > high[m]) return "too often in mailbox " + std::to_string(m);
  }
  for (const auto& [m, times] : low) {
    const auto at = found.in_mailbox.find(m);
    if ((at == found.in_mailbox.end() ? 0 : at->second) < times) return "lost from mailbox " + std::to_string(m);
  }
  return "";
}

// Opens what a cut at `events` leaves; counts messages that are not as they must be.
int FaultsAfterCut(const std::vector<DiskEvent>& record, std::size_t events, Unsynced unsynced, unsigned seed,
                   std::string* what) {
  std::mt19937 random(seed);
  const TemporaryFolder folder;
  for (const auto& [name, octets] : PowerCut(record, events, unsynced, random)) {
    std::ofstream(folder.path() + "/" + name, std::ios::binary) << octets;
  }
  Fates fates;
  bool ready = false;
  for (std::size_t i = 0; i < events; ++i) {
    if (record[i].kind != DiskEvent::Kind::kMark) continue;
    record[i].name == "ready" ? void(ready = true) : Take(fates, record[i].name);
  }
  auto store = OpenSqliteStore(folder.path(), SmallOptions(""));
  if (!store) {
    *what = store.error().Text();
    return ready ? 1 : 0;
  }
  const std::map<int, Found> found = LookInto(**store);
  int faults = ready && Targets(**store).size() != kMailboxes ? 1 : 0;
  for (const auto& [number, fate] : fates) {
    const auto at = found.find(number);
    const std::string fault = Fault(fate, at == found.end() ? Found{} : at->second);
    if (fault.empty()) continue;
    ++faults;
    *what = "message " + std::to_string(number) + ": " + fault;
  }
  for (const auto& [number, f] : found) {
    if (!fates.contains(number)) ++faults, *what = "message " + std::to_string(number) + " from nowhere";
  }
  return faults;
}

constexpr Unsynced kAll[] = {Unsynced::kLost, Unsynced::kKept, Unsynced::kSomeWrites, Unsynced::kSomeSectors};

TEST(PowerLoss, EverySyncPointAndRandomPoints) {
  const std::vector<DiskEvent> record = RecordLoad(false, Long() ? 400 : 100);
  std::vector<std::size_t> points;
  for (std::size_t i = 0; i < record.size(); ++i) {
    if (record[i].kind == DiskEvent::Kind::kSync || record[i].kind == DiskEvent::Kind::kFolderSync) {
      points.push_back(i);
      points.push_back(i + 1);
    }
  }
  ASSERT_GT(points.size(), 60u);
  std::mt19937 random(7);
  for (int i = 0; i < (Long() ? 1000 : 60); ++i) points.push_back(random() % record.size());
  unsigned seed = 0;
  for (const std::size_t point : points) {
    std::string what;
    const Unsynced unsynced = kAll[seed % 4];
    ASSERT_EQ(FaultsAfterCut(record, point, unsynced, ++seed, &what), 0)
        << what << " at event " << point << " of " << record.size();
  }
}

TEST(PowerLoss, WithoutSyncTheTestFails) {
  const std::vector<DiskEvent> record = RecordLoad(true, 60);
  std::mt19937 random(7);
  int faults = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    std::string what;
    faults += FaultsAfterCut(record, record.size() / 2 + random() % (record.size() / 2), kAll[seed % 4], seed, &what);
  }
  EXPECT_GT(faults, 0);
}

}  // namespace
}  // namespace glasspost::store
