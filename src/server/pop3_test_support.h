// What the tests of the POP3 server share: a store with accounts and messages, the server on a thread of its own, and a client
// that says just what it is told to.
#pragma once

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/post.hpp>
#include <future>
#include <mutex>
#include <string>
#include <thread>

#include "base/journey.h"
#include "net/listener.h"
#include "net/test_support.h"
#include "server/account_authenticator.h"
#include "server/pop3_connection.h"
#include "store/sqlite/sqlite_store.h"
#include "support/await.h"
#include "wire/sasl/verifier.h"

namespace glasspost::server::test {

using namespace std::chrono_literals;

// {PLAIN} and the like, on a thread of its own; counts.
class PlainChecker final : public PasswordChecker {
 public:
  std::optional<Outcome> Check(Octets, std::span<const std::string> verifiers, std::string password, Done done) override {
    ++asked;
    bool right = false;
    for (const auto& v : verifiers) right = right || sasl::CheckPassword(v, password).value_or(false);
    const Outcome outcome = busy ? Outcome::kBusy : right ? Outcome::kRight : Outcome::kWrong;
    if (at_once) return outcome;
    net::asio::post(context_, [outcome, d = std::move(done)]() mutable { d(outcome); });
    return std::nullopt;
  }
  ~PlainChecker() override {
    work_.reset();
    thread_.join();
  }
  std::atomic<int> asked = 0;
  std::atomic<bool> busy = false, at_once = false;

 private:
  net::asio::io_context context_{1};
  net::asio::executor_work_guard<net::Executor> work_{context_.get_executor()};
  std::thread thread_{[this] { context_.run(); }};
};

// A blocking client; reads time out after some seconds.
// What sessions told, a line each: "login user=a protocol=pop3 "; without peers, which differ.
class KeptEvents final : public Events {
 public:
  void Note(Event event, std::uint64_t session, std::initializer_list<EventField> fields) override {
    EXPECT_EQ(session, 7u);
    std::string line(Name(event));
    for (const EventField& f : fields)
      if (f.name != "peer") line.append(" ").append(f.name).append("=").append(f.value);
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class Client {
 public:
  explicit Client(std::uint16_t port, int receive_buffer = 0) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_buffer) ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    const timeval limit{10, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&to), sizeof to), 0);
  }
  ~Client() { Close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  void Close() {
    if (socket_ >= 0) ::close(std::exchange(socket_, -1));
  }
  void Reset() {
    const linger now{1, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    Close();
  }
  // What of it could be sent.
  std::size_t Say(std::string_view octets) {
    std::size_t sent = 0;
    while (sent < octets.size()) {
      const auto n = ::send(socket_, octets.data() + sent, octets.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    return sent;
  }
  // With its CRLF; empty at the end.
  std::string Line() {
    while (true) {
      if (const auto end = got_.find("\r\n"); end != std::string::npos) {
        std::string line = got_.substr(0, end + 2);
        got_.erase(0, end + 2);
        return line;
      }
      if (!More()) return std::exchange(got_, {});
    }
  }
  std::string Ask(std::string_view command) {
    Say(std::string(command) + "\r\n");
    return Line();
  }
  // A reply of many lines, whole.
  std::string AskAll(std::string_view command) {
    std::string all = Ask(command);
    if (!all.starts_with("+OK")) return all;
    for (std::string line = Line(); !line.empty(); line = Line()) {
      all += line;
      if (line == ".\r\n") break;
    }
    return all;
  }
  std::string Login(const std::string& user, const std::string& password = "secret") {
    Line();
    Ask("USER " + user);
    return Ask("PASS " + password);
  }
  std::string Rest() {
    while (More()) {
    }
    return std::exchange(got_, {});
  }
  void GiveMemoryBack() { got_.shrink_to_fit(); }

 private:
  bool More() {
    char room[65536];
    const auto n = ::recv(socket_, room, sizeof room, 0);
    if (n <= 0) return false;
    got_.append(room, static_cast<std::size_t>(n));
    return true;
  }
  int socket_;
  std::string got_;
};

class Pop3Server : public ::testing::Test {
 public:
  static constexpr Timestamp kNow = 1'700'000'000'000'000'000;

  void SetUp() override {
    auto opened = store::OpenSqliteStore(folder_ / "data");
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().Text());
    store_ = std::move(*opened);
    EXPECT_TRUE(store::Await<void>([&](auto d) {
      store_->directory().AddDomain("a.test", {{{"alice", ""}, {"{PLAIN}secret"}, 0}}, kNow, std::move(d));
    }));
    authenticator_ = std::make_unique<AccountAuthenticator>(store_->directory(), checker_, net::SystemClock(), Options());
    const auto pair = net::test::MakePair(folder_, "mx.test");
    EXPECT_TRUE(tls_.Load({.pairs = {pair}, .alpn = {"pop3"}}));
    services_.emplace(Pop3Services{*store_, *authenticator_, SystemRandomness(), &tls_, "test", &events_});
    settings_.protocol.plaintext_without_tls = true;
    settings_.protocol.apop = true;
    settings_.protocol.mechanisms = {sasl::Mechanism::kPlain, sasl::Mechanism::kLogin, sasl::Mechanism::kScram,
                                     sasl::Mechanism::kCramMd5};
    settings_.protocol.sasl.made_up_salt_key = "key";
    settings_.close = 1s;
  }
  ~Pop3Server() override { Stop(); }
  virtual AuthenticatorOptions Options() { return {.default_domain = "a.test", .limits = {}}; }

  void Start() {
    settings_now_ = std::make_shared<const Pop3Settings>(settings_);
    auto admissions = net::Admissions::Make({.all = 20'000, .per_address = 20'000});
    for (const bool tls : {false, true}) {
      const std::uint8_t loopback[4] = {127, 0, 0, 1};
      auto listener = net::Listener::Open({Address::V4(loopback), 0}, {&context_}, admissions);
      ASSERT_TRUE(listener);
      (*listener)->Start([this, tls](net::asio::io_context&, net::Socket socket, net::Admissions::Place place) {
        ServePop3(worker_, *services_, settings_now_, {std::move(socket), std::move(place), tls, nullptr, 7});
      });
      (tls ? tls_port_ : port_) = (*listener)->endpoint().port;
      listeners_.push_back(std::move(*listener));
    }
    thread_ = std::thread([this] { context_.run(); });
  }
  // On the server's thread.
  void Do(std::function<void()> what) {
    std::promise<void> done;
    net::asio::post(context_, [&] {
      what();
      done.set_value();
    });
    done.get_future().wait();
  }
  // As the server does it: true if all sessions ended.
  bool Shutdown(std::chrono::nanoseconds grace) {
    std::promise<void> done;
    auto ended = done.get_future();
    Do([&] { sessions_.Shutdown(grace, [&] { done.set_value(); }); });
    return ended.wait_for(20s) == std::future_status::ready;
  }
  void Stop() {
    if (!thread_.joinable()) return;
    Do([this] {
      listeners_.clear();
      sessions_.ForEach([](Session& s) { s.Cancel(); });
    });
    for (int i = 0; i < 1000 && sessions_.count() > 0; ++i) std::this_thread::sleep_for(5ms);
    EXPECT_EQ(sessions_.count(), 0u);
    context_.stop();
    thread_.join();
  }
  // Until no session is left, as when all clients have gone.
  bool Empty() {
    for (int i = 0; i < 1000 && sessions_.count() > 0; ++i) std::this_thread::sleep_for(5ms);
    return sessions_.count() == 0;
  }

  store::Account Find(const std::string& local) {
    auto found = store::Await<store::Account>([&](auto d) { store_->directory().FindAccount({local, "a.test"}, std::move(d)); });
    EXPECT_TRUE(found);
    return found ? *found : store::Account{};
  }
  store::AccountId AddUser(const std::string& local, std::vector<std::string> verifiers = {"{PLAIN}secret"}) {
    auto added = store::Await<store::AccountId>([&](auto d) {
      store_->directory().AddAccount({{local, "a.test"}, std::move(verifiers), 0}, kNow, std::move(d));
    });
    EXPECT_TRUE(added);
    return added.value_or(0);
  }
  store::MessageId Deliver(const std::string& local, std::string_view octets, std::string prefix = {}, std::uint32_t flags = 0) {
    auto receiver = store_->Receive(kNow);
    while (!octets.empty()) {
      const auto piece = octets.substr(0, store::MessageLimits::kChunk);
      octets.remove_prefix(piece.size());
      std::promise<void> room;
      if (!receiver->Append(piece, [&](store::Result<void>) { room.set_value(); })) room.get_future().wait();
    }
    store::Plan plan;
    plan.mailboxes.push_back({Find(local).inbox, std::move(prefix), flags});
    plan.arrived = kNow;
    const auto accepted = store::Await<store::Accepted>([&](auto d) { receiver->Commit(std::move(plan), std::move(d)); });
    EXPECT_TRUE(accepted);
    return accepted ? accepted->message : 0;
  }
  // Kinds of the message's events, in their order.
  std::vector<JourneyKind> Journey(store::MessageId message) {
    // Changes are carried out in order: behind this one is what sessions told when they ended.
    EXPECT_TRUE(store::Await<void>([&](auto d) { store_->journeys().Append({}, std::move(d)); }));
    store::JourneyQuery query;
    query.message = message;
    const auto events =
        store::Await<std::vector<store::JourneyEvent>>([&](auto d) { store_->journeys().Find(std::move(query), std::move(d)); });
    std::vector<JourneyKind> kinds;
    for (const auto& e : *events) {
      kinds.push_back(static_cast<JourneyKind>(e.kind));
      EXPECT_EQ(e.conversation, 7u);
      EXPECT_EQ(FindDetail(e.detail, "account"), "alice@a.test");
      EXPECT_FALSE(FindDetail(e.detail, "uid").empty());
    }
    return kinds;
  }

  TemporaryFolder folder_;
  PlainChecker checker_;
  KeptEvents events_;
  std::unique_ptr<AccountAuthenticator> authenticator_;
  std::unique_ptr<store::Store> store_;  // answers all before the two above go
  net::ReloadableTls tls_;
  std::optional<Pop3Services> services_;
  Pop3Settings settings_;
  std::shared_ptr<const Pop3Settings> settings_now_;
  net::asio::io_context context_{1};
  net::Deadlines deadlines_{context_, net::SystemClock(), 20ms};
  Sessions sessions_{context_, deadlines_};
  Worker worker_{context_, deadlines_, sessions_};
  std::vector<std::unique_ptr<net::Listener>> listeners_;
  std::uint16_t port_ = 0, tls_port_ = 0;
  std::thread thread_;
};

// A message of about so many octets whose lines all end in CRLF, some of them with dots.
inline std::string MessageOf(std::size_t octets, const std::string& subject = "test") {
  std::string m = "Subject: " + subject + "\r\n\r\n";
  for (int i = 0; m.size() < octets; ++i)
    m += (i % 7 == 0 ? ".dot " : "line ") + std::to_string(i) + " of a message that is nothing but lines\r\n";
  return m;
}
// As it goes over the wire, with the lone dot.
inline std::string Stuffed(const std::string& message) {
  std::string out;
  bool start = true;
  for (const char c : message) {
    if (start && c == '.') out += '.';
    out += c;
    start = c == '\n';
  }
  return out + ".\r\n";
}

}  // namespace glasspost::server::test
