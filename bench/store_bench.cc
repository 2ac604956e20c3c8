// The store under many sessions: messages a second into local mailboxes, each acknowledged after its commit is on the disk.
//
//   store_bench [--sessions 64] [--mailboxes 1000] [--octets 4096] [--seconds 5] [--folder DIR] [--no-sync] [--no-journey]
//   [--bare]
//
// --bare is the bound that one session has: a loop of one SQLite commit a message, without the store.
#include <sys/resource.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <mutex>
#include <random>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "store/sqlite/database.h"
#include "store/sqlite/sqlite_store.h"
#include "support/await.h"

namespace glasspost::store {
namespace {

struct Options {
  std::size_t sessions = 64, mailboxes = 1000, octets = 4096;
  double seconds = 5;
  std::string folder = "store_bench.data";
  bool sync = true, journey = true, bare = false;
};

double Now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
double CpuSeconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}
Timestamp WallClock() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// Sessions that are ready for their next message.
class ReadyList {
 public:
  void Push(std::size_t session) {
    bool first = false;
    {
      const std::lock_guard lock(mutex_);
      first = ready_.empty();
      ready_.push_back(session);
    }
    if (first) posted_.notify_one();
  }
  void TakeAll(std::vector<std::size_t>& into) {
    into.clear();
    std::unique_lock lock(mutex_);
    posted_.wait(lock, [this] { return !ready_.empty(); });
    into.swap(ready_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable posted_;
  std::vector<std::size_t> ready_;
};

std::vector<LocalTarget> MakeMailboxes(Store& store, std::size_t count) {
  std::vector<LocalTarget> targets;
  std::vector<NewAccount> accounts;
  for (std::size_t i = 0; i < count; ++i) accounts.push_back({{"user" + std::to_string(i), ""}, {}, 0});
  const auto added =
      Await<void>([&](auto done) { store.directory().AddDomain("bench.test", accounts, WallClock(), std::move(done)); });
  if (!added) std::fprintf(stderr, "%s\n", added.error().text.c_str());
  for (std::size_t i = 0; i < count; ++i) {
    const auto found = Await<Resolution>([&](auto done) {
      store.directory().Resolve({"user" + std::to_string(i), "bench.test"}, std::move(done));
    });
    if (found && !found->mailboxes.empty()) targets.push_back(found->mailboxes.front());
  }
  return targets;
}

Plan PlanFor(const LocalTarget& target, Timestamp now, std::uint64_t number, bool journey) {
  Plan plan;
  plan.arrived = now;
  plan.mailboxes.push_back(
      {target.mailbox, "Return-Path: <sender@example.org>\r\nDelivered-To: " + target.name.Text() + "\r\n", 0});
  if (journey) {
    JourneyEvent accepted;
    accepted.time = now;
    accepted.kind = 1;
    accepted.conversation = number;
    accepted.sender = "sender@example.org";
    accepted.message_id = "<" + std::to_string(number * 7919) + ".bench@example.org>";
    accepted.digest.assign(32, static_cast<char>(number));
    JourneyEvent delivered;
    delivered.time = now;
    delivered.kind = 2;
    delivered.recipient = target.name.Text();
    plan.events = {accepted, delivered};
  }
  return plan;
}

void Run(const Options& o) {
  std::filesystem::remove_all(o.folder);
  SqliteOptions options;
  options.without_sync = !o.sync;
  auto store = OpenSqliteStore(o.folder, options);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().Text().c_str());
    std::exit(1);
  }
  const std::vector<LocalTarget> targets = MakeMailboxes(**store, o.mailboxes);
  std::mt19937 random(1);
  std::string body(o.octets, 'x');
  for (char& c : body) c = static_cast<char>('a' + random() % 26);

  ReadyList ready;
  std::uint64_t started = 0, failed = 0;
  std::atomic<std::uint64_t> done = 0;
  const StoreState before = (*store)->state();
  const double begin = Now(), cpu = CpuSeconds(), end = begin + o.seconds;
  for (std::size_t s = 0; s < o.sessions; ++s) ready.Push(s);
  std::vector<std::size_t> now_ready;
  std::size_t idle = 0;
  while (idle < o.sessions) {
    ready.TakeAll(now_ready);
    const bool more = Now() < end;
    for (const std::size_t session : now_ready) {
      if (!more) {
        ++idle;
        continue;
      }
      const Timestamp now = WallClock();
      auto receiver = (*store)->Receive(now);
      if (!AwaitAppend(*receiver, body, MessageLimits::kHeld)) ++failed;
      receiver->Commit(PlanFor(targets[random() % targets.size()], now, ++started, o.journey), [&, session](Result<Accepted> r) {
        if (r) ++done;
        ready.Push(session);
      });
    }
  }
  const double wall = Now() - begin, used = CpuSeconds() - cpu;
  const StoreState after = (*store)->state();
  const double messages = static_cast<double>(done.load());
  std::printf("%zu sessions, %zu mailboxes, %zu octets: %.0f messages/s, %.4f ms CPU each, %.1f messages a commit, %llu failed\n",
              o.sessions, o.mailboxes, o.octets, messages / wall, used / messages * 1e3,
              messages / static_cast<double>(after.commits - before.commits),
              static_cast<unsigned long long>(started - done.load() + failed));
  store->reset();
  std::filesystem::remove_all(o.folder);
}

// What a session alone could reach at most.
void RunBare(const Options& o) {
  std::filesystem::remove_all(o.folder);
  std::filesystem::create_directories(o.folder);
  Database db;
  if (!db.Open(o.folder + "/bare.db", "", true)) std::exit(1);
  db.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE m(id INTEGER PRIMARY KEY, octets BLOB)");
  const std::string body(o.octets, 'x');
  const double begin = Now(), cpu = CpuSeconds();
  double messages = 0;
  while (Now() < begin + o.seconds && db.Run("INSERT INTO m(octets) VALUES(?)", Blob{body})) ++messages;
  std::printf("bare loop, %zu octets: %.0f messages/s, %.4f ms CPU each\n", o.octets, messages / (Now() - begin),
              (CpuSeconds() - cpu) / messages * 1e3);
  db.Close();
  std::filesystem::remove_all(o.folder);
}

}  // namespace
}  // namespace glasspost::store

int main(int argc, char** argv) {
  glasspost::store::Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto value = [&] { return i + 1 < argc ? std::string(argv[++i]) : std::string(); };
    const auto number = [&] { return static_cast<std::size_t>(glasspost::ParseNumber(value()).value_or(1)); };
    if (flag == "--sessions") o.sessions = number();
    if (flag == "--mailboxes") o.mailboxes = number();
    if (flag == "--octets") o.octets = number();
    if (flag == "--seconds") o.seconds = static_cast<double>(number());
    if (flag == "--folder") o.folder = value();
    if (flag == "--no-sync") o.sync = false;
    if (flag == "--no-journey") o.journey = false;
    if (flag == "--bare") o.bare = true;
  }
  o.bare ? glasspost::store::RunBare(o) : glasspost::store::Run(o);
}
