// What an idle connection costs: opens so many to itself over loopback (the client's ends in a child process), lets each sit in a
// Read after one exchange, and prints how much the process has grown for each: resident memory, and what malloc holds. A
// coroutine, a stream and a POP3-like wait: no session machine, no tap.
//
//   idle_connections [NUMBER] [plain|tls]...
#include <malloc.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "net/endpoint.h"
#include "net/listener.h"
#include "net/self_signed.h"
#include "net/stream.h"
#include "net/system_clock.h"

namespace {

using namespace glasspost;
using namespace glasspost::net;
using namespace std::chrono_literals;

const std::uint8_t kLoopback[4] = {127, 0, 0, 1};

// Kibibytes that are resident and the process's own.
long Resident() {
  std::ifstream in("/proc/self/smaps_rollup");
  long sum = 0;
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("Private_Dirty:")) sum += std::stol(line.substr(14));
  return sum;
}

// The client's ends: connects, shakes hands, says a word, waits for its echo, then sits until its input closes.
[[noreturn]] void Clients(Endpoint to, int number, bool tls, int done, int until) {
  asio::io_context context{1};
  Deadlines deadlines(context, SystemClock());
  const auto trust = *TlsContext::ForClient({.verify = false, .authorities = {}, .alpn = {}});
  std::vector<std::unique_ptr<Stream>> all;
  int failed = 0;
  asio::co_spawn(
      context.get_executor(),
      [&]() -> Task<void> {
        for (int i = 0; i < number; ++i) {
          // Many source addresses: one has only so many ports.
          const std::uint8_t own[4] = {127, 0, 1, static_cast<std::uint8_t>(1 + i % 4)};
          auto made = co_await Connect(context, deadlines, to, 10s, nullptr, Address::V4(own));
          if (!made) {
            ++failed;
            continue;
          }
          Stream& s = **made;
          if (tls && co_await s.StartTls(trust, "mx.test", 30s) != IoStatus::kOk) ++failed;
          co_await s.Write("NOOP\r\n", 10s);
          const ReadResult echo = co_await s.Read(10s);
          if (echo.status != IoStatus::kOk) ++failed;
          all.push_back(std::move(*made));
        }
      }(),
      asio::detached);
  context.run();
  if (write(done, &failed, sizeof failed) != sizeof failed) std::_Exit(1);
  char c = 0;
  (void)!read(until, &c, 1);
  std::_Exit(0);
}

int Measure(int number, bool tls, const KeyPairFiles& files) {
  asio::io_context context{1};
  Deadlines deadlines(context, SystemClock());
  const auto admissions = Admissions::Make({.all = 100'000, .per_address = 100'000});
  auto listener = Listener::Open({Address::V4(kLoopback), 0}, {&context}, admissions);
  if (!listener) return std::fprintf(stderr, "%s\n", listener.error().Text().c_str()), 1;
  int done[2];
  int until[2];
  if (pipe(done) != 0 || pipe(until) != 0) return 1;
  const pid_t child = fork();
  if (child == 0) {
    close(until[1]);
    Clients((*listener)->endpoint(), number, tls, done[1], until[0]);
  }
  const auto server = *TlsContext::ForServer({.pairs = {files}, .alpn = {}});
  int waiting = 0;
  (*listener)->Start([&](asio::io_context& to, Socket socket, Admissions::Place place) {
    asio::co_spawn(
        to.get_executor(),
        [](Socket s, Admissions::Place p, Deadlines& d, std::shared_ptr<const TlsContext> c, int& sitting) -> Task<void> {
          const Admissions::Place here = std::move(p);
          Stream stream(std::move(s), Side::kServer, d);
          if (c && co_await stream.StartTls(c, "", 30s) != IoStatus::kOk) co_return;
          for (bool first = true;; first = false) {
            if (!first) ++sitting;
            const ReadResult in = co_await stream.Read(600s);
            if (in.status != IoStatus::kOk) break;
            const std::string echo(in.octets);
            co_await stream.Write(echo, 10s);
          }
        }(std::move(socket), std::move(place), deadlines, tls ? server : nullptr, waiting),
        asio::detached);
  });
  const long before = Resident();
  const auto heap_before = mallinfo2();
  while (waiting < number && context.run_one_for(20s) > 0) {
  }
  int failed = -1;
  if (read(done[0], &failed, sizeof failed) != sizeof failed) failed = -1;
  const long after = Resident();
  const auto heap_after = mallinfo2();
  std::printf("%-5s %6d idle connections: %6.2f KiB each resident, %6.2f KiB in malloc's hands (%d failed)\n",
              tls ? "TLS" : "plain", waiting, static_cast<double>(after - before) / waiting,
              static_cast<double>(heap_after.uordblks - heap_before.uordblks) / 1024 / waiting, failed);
  close(until[1]);
  waitpid(child, nullptr, 0);
  (*listener)->Stop();
  context.run_for(2s);
  close(done[0]), close(done[1]), close(until[0]);
  return failed == 0 && waiting == number ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const int number = argc > 1 ? std::atoi(argv[1]) : 10'000;
  std::vector<std::string> ways(argv + std::min(argc, 2), argv + argc);
  if (ways.empty()) ways = {"plain", "tls"};
  std::string folder = (std::filesystem::temp_directory_path() / "glasspost-idle-XXXXXX").string();
  if (!mkdtemp(folder.data())) return 1;
  const KeyPairFiles files{.certificate = folder + "/cert.pem", .key = folder + "/key.pem"};
  if (!EnsureSelfSigned(files, {.names = {"mx.test"}}, SystemClock())) return 1;
  int status = 0;
  for (const std::string& way : ways) {
    // Each in a process of its own: what the one has left behind is not the other's.
    const pid_t child = fork();
    if (child == 0) {
      const int result = Measure(number, way == "tls", files);
      std::fflush(stdout);
      std::_Exit(result);
    }
    int result = 0;
    waitpid(child, &result, 0);
    status |= result;
  }
  std::filesystem::remove_all(folder);
  return status == 0 ? 0 : 1;
}
