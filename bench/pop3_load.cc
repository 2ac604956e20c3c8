// POP3 under load: fills a store, serves it, and drives any POP3 server with many sessions.
//
//   pop3_load fill FOLDER MAILDROPS MESSAGES OCTETS     accounts u0@bench.test …, password "secret", {PLAIN}
//   pop3_load serve FOLDER PORT [THREADS]               ours, on loopback; checks passwords without a pool
//   pop3_load drive PORT SECONDS SESSIONS MAILDROPS MESSAGES [retr|pipelined|login] [@DOMAIN]
//
// drive says how many RETR or logins (to QUIT's answer) a second it has got; each session stays on one maildrop.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "net/listener.h"
#include "net/system_clock.h"
#include "server/account_authenticator.h"
#include "server/pop3_connection.h"
#include "store/sqlite/sqlite_store.h"
#include "wire/sasl/verifier.h"

namespace {

using namespace glasspost;

std::unique_ptr<store::Store> Open(const char* folder) {
  auto opened = store::OpenSqliteStore(folder);
  if (!opened) {
    std::fprintf(stderr, "%s\n", opened.error().Text().c_str());
    std::exit(1);
  }
  return std::move(*opened);
}

template <class T, class F>
store::Result<T> Wait(F call) {
  std::promise<store::Result<T>> promise;
  auto future = promise.get_future();
  call(store::Done<T>([&promise](store::Result<T> result) { promise.set_value(std::move(result)); }));
  return future.get();
}

std::string Message(std::size_t octets, int number) {
  std::string m = "From: a@bench.test\r\nTo: b@bench.test\r\nSubject: message " + std::to_string(number) + "\r\n\r\n";
  while (m.size() + 74 <= octets) m += std::string(72, static_cast<char>('a' + number % 26)) + "\r\n";
  if (m.size() + 3 <= octets) m += std::string(octets - m.size() - 2, 'z') + "\r\n";
  return m;
}

int Fill(const char* folder, int maildrops, int messages, std::size_t octets) {
  const auto store = Open(folder);
  const Timestamp now = net::SystemClock().Now();
  std::vector<store::NewAccount> accounts;
  for (int i = 0; i < maildrops; ++i) accounts.push_back({{"u" + std::to_string(i), ""}, {"{PLAIN}secret"}, 0});
  if (!Wait<void>([&](auto d) { store->directory().AddDomain("bench.test", accounts, now, std::move(d)); })) return 1;
  for (int i = 0; i < maildrops; ++i) {
    const auto account = Wait<store::Account>([&](auto d) {
      store->directory().FindAccount({"u" + std::to_string(i), "bench.test"}, std::move(d));
    });
    std::vector<std::future<store::Result<store::Accepted>>> done;
    for (int m = 0; m < messages; ++m) {
      auto receiver = store->Receive(now);
      receiver->Append(Message(octets, m), [](store::Result<void>) {});
      store::Plan plan;
      plan.mailboxes.push_back({account->inbox, {}, 0});
      plan.arrived = now;
      auto promise = std::make_shared<std::promise<store::Result<store::Accepted>>>();
      done.push_back(promise->get_future());
      receiver->Commit(std::move(plan), [promise](store::Result<store::Accepted> r) { promise->set_value(std::move(r)); });
    }
    for (auto& d : done)
      if (!d.get()) return 1;
  }
  return 0;
}

class Checker final : public server::PasswordChecker {
 public:
  std::optional<Outcome> Check(Octets, std::span<const std::string> verifiers, std::string password, Done) override {
    bool right = false;
    for (const auto& v : verifiers) right = right || sasl::CheckPassword(v, password).value_or(false);
    return right ? Outcome::kRight : Outcome::kWrong;
  }
};

int Serve(const char* folder, std::uint16_t port, int threads) {
  const auto store = Open(folder);
  Checker checker;
  server::AccountAuthenticator authenticator(store->directory(), checker, net::SystemClock(),
                                             {.default_domain = "bench.test", .limits = {}});
  server::Pop3Services services{*store, authenticator, SystemRandomness(), nullptr, "bench"};
  auto settings = std::make_shared<server::Pop3Settings>();
  settings->protocol.plaintext_without_tls = true;
  settings->protocol.stls = false;
  struct Thread {
    net::asio::io_context context{1};
    net::Deadlines deadlines{context, net::SystemClock()};
    server::Sessions sessions{context, deadlines};
    server::Worker worker{context, deadlines, sessions};
  };
  std::vector<std::unique_ptr<Thread>> all;
  std::vector<net::asio::io_context*> contexts;
  for (int i = 0; i < threads; ++i) {
    all.push_back(std::make_unique<Thread>());
    contexts.push_back(&all.back()->context);
  }
  const std::uint8_t loopback[4] = {127, 0, 0, 1};
  auto listener = net::Listener::Open({Address::V4(loopback), port}, contexts,
                                      net::Admissions::Make({.all = 100'000, .per_address = 100'000}));
  if (!listener) return std::fprintf(stderr, "%s\n", listener.error().Text().c_str()), 1;
  (*listener)->Start([&](net::asio::io_context& to, net::Socket socket, net::Admissions::Place place) {
    for (auto& t : all) {
      if (&t->context != &to) continue;
      net::asio::post(to, [&services, settings, w = &t->worker,
                           arrival = server::Pop3Arrival{std::move(socket), std::move(place)}]() mutable {
        server::ServePop3(*w, services, settings, std::move(arrival));
      });
      return;
    }
  });
  std::vector<std::jthread> running;
  for (auto& t : all) {
    running.emplace_back([&t] {
      const auto work = net::asio::make_work_guard(t->context);
      t->context.run();
    });
  }
  std::signal(SIGTERM, [](int) { std::_Exit(0); });
  std::puts("ready");
  std::fflush(stdout);
  for (auto& r : running) r.join();
  return 0;
}

// One session of the driver: a small machine over a socket that does not block.
struct Driver {
  enum class Mode { kRetr, kPipelined, kLogin };
  static constexpr int kPipe = 50;

  int port, maildrops, messages;
  Mode mode;
  std::string domain;
  int epoll = epoll_create1(0);
  std::uint64_t done = 0, errors = 0, octets = 0;

  struct Session {
    int fd = -1;
    int maildrop = 0;
    int stage = 0;  // greeting, USER, PASS, then commands
    int next = 1;
    int due = 0;        // replies to come
    bool body = false;  // of a message
    std::uint32_t tail = 0x0a0d0000;
    std::string line;
  };
  std::vector<Session> sessions;

  void Connect(std::size_t i) {
    Session& s = sessions[i];
    s.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int one = 1;
    setsockopt(s.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connect(s.fd, reinterpret_cast<sockaddr*>(&to), sizeof to);
    epoll_event e{.events = EPOLLIN, .data = {.u64 = i}};
    epoll_ctl(epoll, EPOLL_CTL_ADD, s.fd, &e);
    s.stage = 0;
    s.due = 1;
    s.body = false;
    s.line.clear();
  }
  void Send(Session& s, const std::string& text) {
    if (send(s.fd, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size())) ++errors;
  }
  void More(Session& s) {
    const int n = mode == Mode::kPipelined ? kPipe : 1;
    std::string commands;
    for (int i = 0; i < n; ++i) {
      commands += "RETR " + std::to_string(s.next) + "\r\n";
      s.next = s.next % messages + 1;
    }
    s.due = n;
    Send(s, commands);
  }
  void Replied(std::size_t i) {
    Session& s = sessions[i];
    if (!s.line.starts_with("+OK")) {
      ++errors;
      if (errors < 5) std::fprintf(stderr, "%s\n", s.line.c_str());
    }
    if (s.stage == 0) {
      s.stage = 1;
      s.due = 1;
      return Send(s, "USER u" + std::to_string(s.maildrop) + domain + "\r\n");
    }
    if (s.stage == 1) {
      s.stage = 2;
      s.due = 1;
      return Send(s, "PASS secret\r\n");
    }
    if (s.stage == 2) {
      s.stage = 3;
      if (mode != Mode::kLogin) return More(s);
      s.due = 1;
      return Send(s, "QUIT\r\n");
    }
    if (mode == Mode::kLogin) {
      ++done;
      close(s.fd);
      return Connect(i);
    }
    s.body = true;
    s.tail = 0x0a0d;  // the reply's own line end counts
  }
  void Take(std::size_t i, const char* at, std::size_t n) {
    Session& s = sessions[i];
    const int fd = s.fd;
    while (n > 0 && s.fd == fd) {
      if (!s.body) {
        const char* const end = static_cast<const char*>(std::memchr(at, '\n', n));
        const std::size_t taken = end ? static_cast<std::size_t>(end - at) + 1 : n;
        s.line.append(at, taken);
        at += taken, n -= taken;
        if (!end) return;
        Replied(i);
        s.line.clear();
        continue;
      }
      // The end: CRLF . CRLF, looked for by its dots' line.
      std::size_t used = 0;
      bool over = false;
      while (used < n && !over) {
        const char* const lf = static_cast<const char*>(std::memchr(at + used, '\n', n - used));
        const std::size_t to = lf ? static_cast<std::size_t>(lf - at) + 1 : n;
        s.line.append(at + used, std::min<std::size_t>(to - used, 4));
        if (lf) {
          over = s.line == ".\r\n" && s.tail == 0x0a0d;
          s.line.clear();
        }
        used = to;
      }
      octets += used;
      at += used, n -= used;
      if (!over) return;
      s.body = false;
      ++done;
      if (--s.due == 0) More(s);
    }
  }
  void Run(double seconds, int count) {
    sessions.resize(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < sessions.size(); ++i) {
      sessions[i].maildrop = static_cast<int>(i) % maildrops;
      Connect(i);
    }
    std::vector<char> room(1 << 18);
    const auto now = [] { return std::chrono::steady_clock::now(); };
    auto begin = now();
    bool warm = false;
    while (true) {
      epoll_event events[64];
      const int n = epoll_wait(epoll, events, 64, 1000);
      for (int e = 0; e < n; ++e) {
        const auto i = static_cast<std::size_t>(events[e].data.u64);
        const ssize_t got = recv(sessions[i].fd, room.data(), room.size(), 0);
        if (got <= 0) {
          ++errors;
          close(sessions[i].fd);
          Connect(i);
          continue;
        }
        Take(i, room.data(), static_cast<std::size_t>(got));
      }
      const double t = std::chrono::duration<double>(now() - begin).count();
      if (!warm && t > 1) {
        warm = true;
        done = octets = 0;
        begin = now();
      } else if (warm && t > seconds) {
        rusage used{};
        getrusage(RUSAGE_SELF, &used);
        std::printf("%.0f a second, %.1f MB/s, %lu errors\n", static_cast<double>(done) / t,
                    static_cast<double>(octets) / t / 1e6, errors);
        return;
      }
    }
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "fill" && argc == 6)
    return Fill(argv[2], std::atoi(argv[3]), std::atoi(argv[4]), std::strtoul(argv[5], nullptr, 10));
  if (what == "serve" && argc >= 4)
    return Serve(argv[2], static_cast<std::uint16_t>(std::atoi(argv[3])), argc > 4 ? std::atoi(argv[4]) : 2);
  if (what == "drive" && argc >= 8) {
    const std::string mode = argv[7];
    Driver driver{.port = std::atoi(argv[2]),
                  .maildrops = std::atoi(argv[5]),
                  .messages = std::atoi(argv[6]),
                  .mode = mode == "pipelined" ? Driver::Mode::kPipelined
                          : mode == "login"   ? Driver::Mode::kLogin
                                              : Driver::Mode::kRetr,
                  .domain = argc > 8 ? argv[8] : "",
                  .sessions = {}};
    driver.Run(std::atof(argv[3]), std::atoi(argv[4]));
    return 0;
  }
  std::fprintf(stderr, "see the head of bench/pop3_load.cc\n");
  return 2;
}
