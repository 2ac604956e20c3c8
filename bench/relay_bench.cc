// The relay alone: messages that lie in the queue, to one host (smtp-sink), until the queue is empty.
//
//   relay_bench --port 2525 [--messages 20000] [--octets 4096] [--connections 20] [--folder DIR]
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <string>
#include <thread>

#include "base/ascii.h"
#include "net/deadlines.h"
#include "net/fixed_resolver.h"
#include "net/system_clock.h"
#include "relay/relay.h"
#include "store/sqlite/sqlite_store.h"
#include "support/await.h"

namespace glasspost::relay {
namespace {

struct Options {
  std::size_t messages = 20'000, octets = 4096, connections = 20;
  std::uint16_t port = 2525;
  std::string folder = "relay_bench.data";
};

double Seconds(const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; }
double CpuSeconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return Seconds(u.ru_utime) + Seconds(u.ru_stime);
}
double WallSeconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

struct Counter final : Observer {
  std::atomic<std::size_t> relayed = 0, other = 0;
  void OnDelivery(const Delivery& d) override { ++(d.result == Result::kRelayed ? relayed : other); }
};

void Fill(store::Store& mail, const Options& options) {
  std::string octets = "Subject: bench\r\n\r\n";
  while (octets.size() + 64 <= options.octets) octets += std::string(62, 'x') + "\r\n";
  std::atomic<std::size_t> done = 0;
  for (std::size_t i = 0; i < options.messages; ++i) {
    const Timestamp now = net::SystemClock().Now();
    store::Plan plan;
    plan.envelope = {.reverse_path = "a@bench.test", .envid = {}, .arrived = now};
    plan.entries.push_back(
        {.recipient = "u" + std::to_string(i) + "@far.test", .destination = "route:*", .orcpt = {}, .due = now});
    auto receiver = mail.Receive(now);
    receiver->Append(octets, [](auto) {});
    receiver->Commit(std::move(plan), [&](auto) { ++done; });
    while (i + 1 - done > 500) std::this_thread::yield();
  }
  while (done < options.messages) std::this_thread::yield();
}

int Run(const Options& options) {
  std::filesystem::remove_all(options.folder);
  auto opened = store::OpenSqliteStore(options.folder);
  if (!opened) return std::fprintf(stderr, "%s\n", opened.error().Text().c_str()), 1;
  store::Store& mail = **opened;
  Fill(mail, options);

  net::asio::io_context context(1);
  net::Deadlines deadlines(context, net::SystemClock());
  net::FixedResolver resolver;
  Counter counter;
  RelayOptions relay_options;
  relay_options.limits.per_destination = options.connections;
  relay_options.routes.push_back({"*", {.host = "127.0.0.1", .port = options.port}});
  auto relay = Relay::Make(relay_options, {.context = context,
                                           .deadlines = deadlines,
                                           .store = mail,
                                           .resolver = resolver,
                                           .randomness = SystemRandomness(),
                                           .taps = nullptr,
                                           .observer = &counter});
  const double wall = WallSeconds(), cpu = CpuSeconds();
  const auto commits = mail.state().commits;
  (*relay)->Start();
  while (counter.relayed + counter.other < options.messages) context.run_one();
  bool stopped = false;
  (*relay)->Stop(std::chrono::seconds(5), [&] { stopped = true; });
  while (!stopped) context.run_one();
  const double took = WallSeconds() - wall, used = CpuSeconds() - cpu;
  const auto left = store::Await<store::QueueCounts>([&](auto done) { mail.queue().Count(std::move(done)); });
  std::printf("%zu relayed, %zu not, %llu left: %.0f a second, %.3f ms of CPU each, %.1f messages a commit\n",
              counter.relayed.load(), counter.other.load(), static_cast<unsigned long long>(left->entries),
              static_cast<double>(options.messages) / took, used * 1000 / static_cast<double>(options.messages),
              static_cast<double>(options.messages) / static_cast<double>(mail.state().commits - commits));
  return 0;
}

}  // namespace
}  // namespace glasspost::relay

int main(int argc, char** argv) {
  glasspost::relay::Options options;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    const std::uint64_t number = glasspost::ParseNumber(argv[i + 1]).value_or(0);
    if (name == "--messages") options.messages = number;
    if (name == "--octets") options.octets = number;
    if (name == "--connections") options.connections = number;
    if (name == "--port") options.port = static_cast<std::uint16_t>(number);
    if (name == "--folder") options.folder = argv[i + 1];
  }
  return glasspost::relay::Run(options);
}
