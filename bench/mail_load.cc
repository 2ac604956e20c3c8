// The load of bench/server_compare: SMTP and POP3 clients that cost little next to the servers they measure. One thread, epoll;
// one command at a time, as most clients do, except where it pipelines RETR. Not a protocol implementation: it knows what it
// sends, counts what it gets, and gives up at the first reply that is no success.
//
//   mail_load smtp  HOST PORT SESSIONS MESSAGES OCTETS BOXES NAME [reconnect]    to NAME with %d = 0 … BOXES-1 in turn
//   mail_load retr  HOST PORT SESSIONS DEPTH NAME PASSWORD          each session all messages of its maildrop, DEPTH at a time
//   mail_load login HOST PORT SESSIONS LOGINS BOXES NAME PASSWORD   connect, USER, PASS, QUIT
//   mail_load idle  HOST PORT CONNECTIONS [BOXES NAME PASSWORD]     after the greeting (logged in to POP3), until its input
//   closes mail_load commit FILE MESSAGES OCTETS                           no network: one SQLite commit a message, WAL,
//   synchronous=FULL
//
// Prints "done=N seconds=S cpu=S" (its own processor time), after the sessions have been opened (retr: logged in).
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sqlite3.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void Fail(const std::string& why) {
  std::fprintf(stderr, "mail_load: %s\n", why.c_str());
  std::exit(1);
}

std::string Fill(const std::string& name, int number) {
  const std::size_t at = name.find("%d");
  return at == std::string::npos ? name : name.substr(0, at) + std::to_string(number) + name.substr(at + 2);
}

double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// The measured time: from Start() to Print().
class Watch {
 public:
  void Start() {
    begin_ = Clock::now();
    cpu_ = CpuSeconds();
  }
  void Print(long done) const {
    const double seconds = std::chrono::duration<double>(Clock::now() - begin_).count();
    std::printf("done=%ld seconds=%.6f cpu=%.6f\n", done, seconds, CpuSeconds() - cpu_);
    std::fflush(stdout);
  }

 private:
  Clock::time_point begin_ = Clock::now();
  double cpu_ = CpuSeconds();
};

// A connection: what came lies in input() until the owner takes it.
class Connection {
 public:
  explicit Connection(int epoll) : epoll_(epoll) {}
  ~Connection() { Close(); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Open(const sockaddr_in& to) {
    Close();
    input_.clear();
    output_.clear();
    fd_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd_ < 0) Fail(std::string("socket: ") + std::strerror(errno));
    const int one = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) {
      Fail(std::string("connect: ") + std::strerror(errno));
    }
    Watch(EPOLL_CTL_ADD, EPOLLIN);
  }
  void Close() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }
  void Send(std::string_view octets) {
    if (output_.empty()) {
      const ssize_t n = send(fd_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (n > 0) octets.remove_prefix(static_cast<std::size_t>(n));
      if (n < 0 && errno != EAGAIN) Fail(std::string("send: ") + std::strerror(errno));
      if (octets.empty()) return;
      Watch(EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
    }
    output_ += octets;
  }
  // What the socket is ready for; false at its end.
  bool Ready(std::uint32_t events) {
    if ((events & EPOLLOUT) != 0 && !output_.empty()) {
      std::string rest;
      rest.swap(output_);
      Watch(EPOLL_CTL_MOD, EPOLLIN);
      Send(rest);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) == 0) return true;
    static char buffer[256 * 1024];
    const ssize_t n = recv(fd_, buffer, sizeof buffer, 0);
    if (n < 0 && errno == EAGAIN) return true;
    if (n < 0) Fail(std::string("recv: ") + std::strerror(errno));
    if (n == 0) return false;
    input_.append(buffer, static_cast<std::size_t>(n));
    return true;
  }
  std::string& input() { return input_; }
  void set_owner(void* owner) { owner_ = owner; }

 private:
  void Watch(int operation, std::uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.ptr = owner_;
    if (epoll_ctl(epoll_, operation, fd_, &event) != 0) Fail(std::string("epoll_ctl: ") + std::strerror(errno));
  }

  int epoll_;
  int fd_ = -1;
  void* owner_ = nullptr;
  std::string input_, output_;
};

class Session {
 public:
  Session(int epoll, const sockaddr_in& to) : to_(to), connection_(epoll) { connection_.set_owner(this); }
  virtual ~Session() = default;
  void Open() { connection_.Open(to_); }
  // Takes what has come; false when it has nothing more to do.
  virtual bool Take() = 0;
  virtual bool Ended() { Fail("the server has closed the connection; last: " + connection_.input()); }
  Connection& connection() { return connection_; }

 protected:
  // The next line without its CRLF; false if it has not come whole.
  bool Line(std::string& line) {
    std::string& in = connection_.input();
    const std::size_t end = in.find("\r\n");
    if (end == std::string::npos) return false;
    line.assign(in, 0, end);
    in.erase(0, end + 2);
    return true;
  }
  sockaddr_in to_;
  Connection connection_;
};

using Sessions = std::vector<std::unique_ptr<Session>>;

// Until each of so many sessions has said that it has nothing more to do.
void Run(int epoll, std::size_t number) {
  epoll_event events[256];
  while (number > 0) {
    const int n = epoll_wait(epoll, events, 256, 120'000);
    if (n == 0) Fail("nothing for two minutes");
    for (int i = 0; i < n; ++i) {
      auto* session = static_cast<Session*>(events[i].data.ptr);
      const bool more = session->connection().Ready(events[i].events) ? session->Take() : session->Ended();
      if (!more) {
        session->connection().Close();
        --number;
      }
    }
  }
}

// --- SMTP

struct SmtpLoad {
  long messages = 0;
  int boxes = 1;
  std::string name;
  bool reconnect = false;
  std::string message;  // with the lone dot
  long begun = 0, done = 0;
};

std::string Message(std::size_t octets) {
  std::string text =
      "From: load@load.test\r\nTo: you@load.test\r\nSubject: load\r\nDate: Mon, 2 Mar 2026 08:00:00 +0000\r\nMessage-ID: "
      "<load@load.test>\r\n\r\n";
  while (text.size() + 2 < octets) text += std::string(std::min<std::size_t>(70, octets - text.size() - 2), 'x') + "\r\n";
  return text + ".\r\n";
}

class SmtpSession : public Session {
 public:
  SmtpSession(int epoll, const sockaddr_in& to, SmtpLoad& load) : Session(epoll, to), load_(load) {}

  bool Take() override {
    std::string line;
    while (Line(line)) {
      if (line.size() > 3 && line[3] == '-') continue;
      if (line.empty() || (line[0] != '2' && line[0] != '3')) Fail("SMTP: " + line);
      if (!Next()) return false;
    }
    return true;
  }
  bool Ended() override {
    if (step_ != kQuit) return Session::Ended();
    return Again();
  }

 private:
  enum Step { kGreeting, kEhlo, kMail, kRcpt, kData, kMessage, kQuit };

  bool Next() {
    switch (step_) {
      case kGreeting:
        return Say(kEhlo, "EHLO load.test\r\n");
      case kEhlo:
        return Begin();
      case kMail:
        return Say(kRcpt, "RCPT TO:<" + Fill(load_.name, static_cast<int>(number_ % load_.boxes)) + ">\r\n");
      case kRcpt:
        return Say(kData, "DATA\r\n");
      case kData:
        return Say(kMessage, load_.message);
      case kMessage:
        ++load_.done;
        return load_.reconnect ? Say(kQuit, "QUIT\r\n") : Begin();
      case kQuit:
        return Again();
    }
    return false;
  }
  bool Begin() {
    if (load_.begun == load_.messages) return Say(kQuit, "QUIT\r\n");
    number_ = load_.begun++;
    return Say(kMail, "MAIL FROM:<load@load.test>\r\n");
  }
  bool Again() {
    if (!load_.reconnect || load_.begun == load_.messages) return false;
    step_ = kGreeting;
    Open();
    return true;
  }
  bool Say(Step step, std::string_view what) {
    step_ = step;
    connection_.Send(what);
    return true;
  }

  SmtpLoad& load_;
  Step step_ = kGreeting;
  long number_ = 0;
};

// --- POP3

class Pop3Session : public Session {
 public:
  Pop3Session(int epoll, const sockaddr_in& to, std::string user, std::string password)
      : Session(epoll, to), user_(std::move(user)), password_(std::move(password)) {}

  // Log in, STAT: then there is nothing more to do until Begin().
  bool Take() override {
    if (retrieving_) return Retrieve();
    std::string line;
    while (Line(line)) {
      if (!line.starts_with("+OK")) Fail("POP3: " + line);
      if (step_ == 0) connection_.Send("USER " + user_ + "\r\n");
      if (step_ == 1) connection_.Send("PASS " + password_ + "\r\n");
      if (step_ == 2) connection_.Send("STAT\r\n");
      if (step_ == 3) {
        messages_ = std::atol(line.c_str() + 4);
        ++ready;
      }
      ++step_;
    }
    return true;
  }
  void Begin(long depth) {
    depth_ = depth;
    retrieving_ = true;
    Ask();
  }

  static inline long ready = 0, retrieved = 0, octets = 0;

 private:
  void Ask() {
    std::string commands;
    for (; asked_ < messages_ && waiting_ < depth_; ++waiting_) commands += "RETR " + std::to_string(++asked_) + "\r\n";
    if (!commands.empty()) connection_.Send(commands);
  }
  bool Retrieve() {
    std::string& in = connection_.input();
    std::size_t at = 0;
    while (waiting_ > 0) {
      if (in.size() - at >= 4 && in.compare(at, 3, "+OK") != 0) Fail("POP3: " + in.substr(at, 100));
      const void* end = memmem(in.data() + at + scanned_, in.size() - at - scanned_, "\r\n.\r\n", 5);
      if (end == nullptr) {
        scanned_ = std::max<std::size_t>(in.size() - at, 4) - 4;
        break;
      }
      const auto next = static_cast<std::size_t>(static_cast<const char*>(end) - in.data()) + 5;
      octets += static_cast<long>(next - at);
      at = next;
      scanned_ = 0;
      ++retrieved;
      if (--waiting_ == 0) Ask();
    }
    in.erase(0, at);
    return waiting_ > 0;
  }

  std::string user_, password_;
  int step_ = 0;
  long messages_ = 0, asked_ = 0, waiting_ = 0, depth_ = 1;
  std::size_t scanned_ = 0;
  bool retrieving_ = false;
};

struct LoginLoad {
  long logins = 0, begun = 0, done = 0;
  int boxes = 1;
  std::string name, password;
};

class LoginSession : public Session {
 public:
  LoginSession(int epoll, const sockaddr_in& to, LoginLoad& load) : Session(epoll, to), load_(load) { number_ = load_.begun++; }

  bool Take() override {
    std::string line;
    while (Line(line)) {
      if (!line.starts_with("+OK")) Fail("POP3: " + line);
      if (step_ == 0) connection_.Send("USER " + Fill(load_.name, static_cast<int>(number_ % load_.boxes)) + "\r\n");
      if (step_ == 1) connection_.Send("PASS " + load_.password + "\r\n");
      if (step_ == 2) connection_.Send("QUIT\r\n");
      if (++step_ == 4) return Again();
    }
    return true;
  }

 private:
  bool Again() {
    ++load_.done;
    if (load_.begun >= load_.logins) return false;
    number_ = load_.begun++;
    step_ = 0;
    Open();
    return true;
  }

  LoginLoad& load_;
  int step_ = 0;
  long number_ = 0;
};

class IdleSession : public Session {
 public:
  using Session::Session;
  bool Take() override {
    std::string line;
    while (Line(line)) ++greeted;
    return true;
  }
  static inline long greeted = 0;
};

// --- what each mode does

using Arguments = std::vector<std::string>;

long Number(const Arguments& a, std::size_t at) { return std::atol(a.at(at).c_str()); }

void OpenAll(const Sessions& sessions) {
  for (const auto& session : sessions) session->Open();
}

// Until a count has been reached, with all sessions left open.
void RunUntil(int epoll, const long& count, long wanted) {
  epoll_event events[256];
  while (count < wanted) {
    const int n = epoll_wait(epoll, events, 256, 120'000);
    if (n == 0) Fail("nothing for two minutes: " + std::to_string(count) + " of " + std::to_string(wanted));
    for (int i = 0; i < n; ++i) {
      auto* session = static_cast<Session*>(events[i].data.ptr);
      if (!session->connection().Ready(events[i].events)) session->Ended();
      session->Take();
    }
  }
}

void Smtp(int epoll, const sockaddr_in& to, const Arguments& a) {
  SmtpLoad load{.messages = Number(a, 3),
                .boxes = static_cast<int>(Number(a, 5)),
                .name = a.at(6),
                .reconnect = a.size() > 7 && a[7] == "reconnect",
                .message = Message(static_cast<std::size_t>(Number(a, 4)))};
  Sessions sessions;
  for (long i = 0; i < Number(a, 2); ++i) sessions.push_back(std::make_unique<SmtpSession>(epoll, to, load));
  const Watch watch;
  OpenAll(sessions);
  Run(epoll, sessions.size());
  watch.Print(load.done);
}

void Retr(int epoll, const sockaddr_in& to, const Arguments& a) {
  Sessions sessions;
  std::vector<Pop3Session*> boxes;
  const long number = Number(a, 2);
  // A few logins at a time: a server's limits are not what is measured.
  for (long i = 0; i < number; ++i) {
    auto session = std::make_unique<Pop3Session>(epoll, to, Fill(a.at(4), static_cast<int>(i)), a.at(5));
    boxes.push_back(session.get());
    session->Open();
    sessions.push_back(std::move(session));
    if (i % 10 == 9) RunUntil(epoll, Pop3Session::ready, i + 1);
  }
  RunUntil(epoll, Pop3Session::ready, number);
  Watch watch;
  watch.Start();
  for (Pop3Session* box : boxes) box->Begin(Number(a, 3));
  Run(epoll, sessions.size());
  watch.Print(Pop3Session::retrieved);
}

void Login(int epoll, const sockaddr_in& to, const Arguments& a) {
  LoginLoad load{.logins = Number(a, 3), .boxes = static_cast<int>(Number(a, 4)), .name = a.at(5), .password = a.at(6)};
  Sessions sessions;
  for (long i = 0; i < Number(a, 2); ++i) sessions.push_back(std::make_unique<LoginSession>(epoll, to, load));
  const Watch watch;
  OpenAll(sessions);
  Run(epoll, sessions.size());
  watch.Print(load.done);
}

void Idle(int epoll, const sockaddr_in& to, const Arguments& a) {
  Sessions sessions;
  const bool login = a.size() > 5;
  const long& ready = login ? Pop3Session::ready : IdleSession::greeted;
  const Watch watch;
  for (long i = 0; i < Number(a, 2); ++i) {
    if (login) sessions.push_back(std::make_unique<Pop3Session>(epoll, to, Fill(a[4], static_cast<int>(i % Number(a, 3))), a[5]));
    if (!login) sessions.push_back(std::make_unique<IdleSession>(epoll, to));
    sessions.back()->Open();
    if (i % 20 == 19) RunUntil(epoll, ready, i + 1);
  }
  RunUntil(epoll, ready, Number(a, 2));
  watch.Print(ready);
  char c = 0;
  while (read(0, &c, 1) > 0) {
  }
}

void Execute(sqlite3* db, const char* sql) {
  if (sqlite3_exec(db, sql, nullptr, nullptr, nullptr) != SQLITE_OK) Fail(sqlite3_errmsg(db));
}

void Commit(const Arguments& a) {
  sqlite3* db = nullptr;
  if (sqlite3_open(a.at(0).c_str(), &db) != SQLITE_OK) Fail(sqlite3_errmsg(db));
  Execute(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE message(id INTEGER PRIMARY KEY, octets BLOB)");
  const std::string message = Message(static_cast<std::size_t>(Number(a, 2)));
  sqlite3_stmt* insert = nullptr;
  if (sqlite3_prepare_v2(db, "INSERT INTO message(octets) VALUES(?)", -1, &insert, nullptr) != SQLITE_OK)
    Fail(sqlite3_errmsg(db));
  const Watch watch;
  const long number = Number(a, 1);
  for (long i = 0; i < number; ++i) {
    sqlite3_bind_blob(insert, 1, message.data(), static_cast<int>(message.size()), SQLITE_STATIC);
    if (sqlite3_step(insert) != SQLITE_DONE) Fail(sqlite3_errmsg(db));
    sqlite3_reset(insert);
  }
  watch.Print(number);
  sqlite3_finalize(insert);
  sqlite3_close(db);
}

}  // namespace

int main(int argc, char** argv) {
  const Arguments all(argv + 1, argv + argc);
  if (all.size() < 4) Fail("see the head of bench/mail_load.cc");
  const std::string mode = all[0];
  const Arguments a(all.begin() + 1, all.end());
  if (mode == "commit") return Commit(a), 0;
  rlimit files{.rlim_cur = 1 << 20, .rlim_max = 1 << 20};
  if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<std::uint16_t>(Number(a, 1)));
  if (inet_pton(AF_INET, a[0].c_str(), &to.sin_addr) != 1) Fail("not an IPv4 address: " + a[0]);
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  const std::vector<std::pair<std::string, std::function<void(int, const sockaddr_in&, const Arguments&)>>> modes = {
      {"smtp", Smtp}, {"retr", Retr}, {"login", Login}, {"idle", Idle}};
  for (const auto& [name, run] : modes) {
    if (name != mode) continue;
    try {
      run(epoll, to, a);
    } catch (const std::out_of_range&) {
      Fail("too few arguments: see the head of bench/mail_load.cc");
    }
    return 0;
  }
  Fail("no mode " + mode);
}
