// What the relay's tests share: hosts that take mail over loopback as they are told to (by smtp::ServerSession, or line by line
// where they are to break the rules), a store, and a relay between them, all on one io_context.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/journey.h"
#include "net/fixed_resolver.h"
#include "net/test_support.h"
#include "relay/relay.h"
#include "store/sqlite/sqlite_store.h"
#include "support/await.h"
#include "wire/dns/constants.h"
#include "wire/sasl/server.h"
#include "wire/smtp/server_session.h"

namespace glasspost::relay::test {

using namespace std::chrono_literals;
using net::test::Net;

// A message as a host took it.
struct Taken {
  std::string from;
  std::vector<std::string> to;
  std::string octets;
  std::string parameters;  // "BODY SMTPUTF8 RET=2 ENVID=e"
  std::size_t connection = 0;
  bool tls = false;
  std::string user;
};

// The conversations of a host, which end with it: they use what is its own.
class Talks {
 public:
  Talks(Net& net, net::Acceptor& acceptor) : net_(net), acceptor_(acceptor) {}
  ~Talks() {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    net_.context.poll();  // who was accepted last begins
    for (net::Stream* stream : streams_) stream->Cancel();
    for (int i = 0; i < 1000 && !streams_.empty(); ++i) net_.context.run_one_for(10ms);
    EXPECT_TRUE(streams_.empty());
  }

  // While it lives, so does the stream.
  class Entry {
   public:
    Entry(Talks& talks, net::Stream& stream) : streams_(talks.streams_), stream_(&stream) { streams_.insert(stream_); }
    ~Entry() { streams_.erase(stream_); }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;

   private:
    std::set<net::Stream*>& streams_;
    net::Stream* stream_;
  };

 private:
  Net& net_;
  net::Acceptor& acceptor_;
  std::set<net::Stream*> streams_;
};

// A host that plays by the rules; what it says to each recipient and message can be chosen.
class Host {
 public:
  explicit Host(Net& net) : net_(net), acceptor_(net.context, {net::asio::ip::address_v4::loopback(), 0}) {
    options.host = "hop.test";
    net::asio::co_spawn(net.context.get_executor(), Listen(), net::asio::detached);
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

  smtp::ServerOptions options;
  std::shared_ptr<const net::TlsContext> tls;  // offered if there is one
  bool break_handshakes = false;
  std::function<smtp::Answer(const std::string&, std::size_t before)> on_recipient;
  std::function<smtp::Answer(const Taken&)> on_message;
  std::size_t close_after = 0;  // messages, without a word
  std::vector<Taken> taken;
  std::vector<std::string> orcpts;
  std::size_t connections = 0;
  std::size_t open = 0, most_open = 0;
  bool stall = false;  // says nothing at all

 private:
  struct Session final : smtp::ServerHandler {
    explicit Session(Host& h) : host(h), number(++h.connections) {}
    smtp::Decision OnMail(const smtp::Mail& mail) override {
      now = {};
      now.connection = number;
      now.from = mail.path->text;
      if (mail.parameters.body == smtp::Body::kEightBitMime) now.parameters += "BODY ";
      if (mail.parameters.smtputf8) now.parameters += "SMTPUTF8 ";
      if (mail.parameters.ret != smtp::Return::kUnsaid) now.parameters += "RET ";
      now.parameters += mail.parameters.envid;
      return smtp::Answer{};
    }
    smtp::Decision OnRecipient(const smtp::Recipient& recipient) override {
      const std::string path(recipient.path->text);
      if (host.on_recipient) {
        smtp::Answer answer = host.on_recipient(path, now.to.size());
        if (!answer.yes()) return answer;
      }
      host.orcpts.emplace_back(recipient.parameters.orcpt);
      now.to.push_back(path);
      return smtp::Answer{};
    }
    void OnMessageOctets(Octets octets) override { now.octets += octets; }
    smtp::Decision OnMessageEnd(const smtp::Content&) override {
      smtp::Answer answer = smtp::Answer::Yes("queued as NEXT" + std::to_string(host.taken.size() + 1));
      if (host.on_message) answer = host.on_message(now);
      now.tls = session->tls();
      now.user = session->user();
      if (answer.yes()) host.taken.push_back(std::exchange(now, {}));
      ++messages;
      return answer;
    }
    void OnReset(smtp::Reset) override { now = {}; }
    smtp::Decision OnPassword(Octets user, Octets password) override {
      if (user == "u" && password == "p") return smtp::Answer{};
      return smtp::Answer{535, {}, {}};
    }
    Host& host;
    std::size_t number;
    smtp::ServerSession* session = nullptr;
    Taken now;
    std::size_t messages = 0;
  };

  net::Task<void> Listen() {
    while (true) {
      auto [error, socket] = co_await acceptor_.async_accept(net::kAwait);
      if (error) co_return;
      net::asio::co_spawn(net_.context.get_executor(), Talk(net::Socket(std::move(socket))), net::asio::detached);
    }
  }
  net::Task<void> Talk(net::Socket socket) {
    net::Stream stream(std::move(socket), net::Side::kServer, net_.deadlines);
    const Talks::Entry entry(talks_, stream);
    Session handler(*this);
    most_open = std::max(most_open, ++open);
    options.extensions.starttls = tls != nullptr;
    smtp::ServerSession session(handler, options, SystemRandomness());
    handler.session = &session;
    session.Start(false);
    std::string out;
    while (true) {
      if (!stall && session.has_output()) {
        session.TakeOutput(out);
        const net::IoStatus written = co_await stream.Write(out, 10s);
        if (written != net::IoStatus::kOk) break;
        continue;
      }
      if (close_after != 0 && handler.messages >= close_after) break;
      if (session.next() == smtp::ServerSession::Next::kClose) break;
      if (session.next() == smtp::ServerSession::Next::kTls) {
        if (break_handshakes) {
          co_await stream.Write("no TLS here, sorry\r\n", 10s);
          break;
        }
        const net::IoStatus status = co_await stream.StartTls(tls, "", 10s);
        if (status != net::IoStatus::kOk) break;
        session.TlsStarted();
        continue;
      }
      const net::ReadResult in = co_await stream.Read(60s);
      if (in.status != net::IoStatus::kOk) break;
      stream.PutBack(in.octets.substr(session.Receive(in.octets)));
    }
    session.Closed();
    --open;
  }

  Net& net_;
  net::Acceptor acceptor_;
  Talks talks_{net_, acceptor_};
};

// A host that says what it is told to, line by line: the n-th answer to the n-th line that begins with the word (the greeting's
// word is ""). "!": the connection is closed instead. "-": nothing is said. What is not named is answered by the rules.
class RawHost {
 public:
  explicit RawHost(Net& net, const char* address = "127.0.0.1", std::uint16_t port = 0)
      : net_(net), acceptor_(net.context, {net::asio::ip::make_address_v4(address), port}) {
    net::asio::co_spawn(net.context.get_executor(), Listen(), net::asio::detached);
  }
  std::uint16_t port() const { return acceptor_.local_endpoint().port(); }
  std::map<std::string, std::string> says{{"", "220 raw"},     {"EHLO", "250-raw\r\n250 PIPELINING"},
                                          {"HELO", "250 raw"}, {"MAIL", "250 ok"},
                                          {"RCPT", "250 ok"},  {"DATA", "354 go"},
                                          {".", "250 taken"},  {"RSET", "250 ok"},
                                          {"QUIT", "221 bye"}};
  std::size_t connections = 0;
  std::map<std::string, int> heard;  // lines that began with the word

 private:
  net::Task<void> Listen() {
    while (true) {
      auto [error, socket] = co_await acceptor_.async_accept(net::kAwait);
      if (error) co_return;
      net::asio::co_spawn(net_.context.get_executor(), Talk(net::Socket(std::move(socket))), net::asio::detached);
    }
  }
  net::Task<void> Talk(net::Socket socket) {
    ++connections;
    net::Stream stream(std::move(socket), net::Side::kServer, net_.deadlines);
    const Talks::Entry entry(talks_, stream);
    bool content = false;
    std::string line, word;
    while (true) {
      if (!content || word == ".") {
        content = false;
        const std::string say = says.contains(word) ? says[word] : "500 what";
        if (say == "!") co_return;
        const std::string reply = say == "-" ? "" : say + "\r\n";
        const net::IoStatus written = co_await stream.Write(reply, 10s);
        if (written != net::IoStatus::kOk) co_return;
        if (word == "DATA" && say.starts_with("354")) content = true;
        if (word == "QUIT") co_return;
      }
      std::size_t end = 0;
      while ((end = line.find("\r\n")) == std::string::npos) {
        const net::ReadResult in = co_await stream.Read(60s);
        if (in.status != net::IoStatus::kOk) co_return;
        line += in.octets;
      }
      word = content ? (line.substr(0, end) == "." ? "." : "text") : line.substr(0, std::min<std::size_t>(end, 4));
      line.erase(0, end + 2);
      ++heard[word];
    }
  }

  Net& net_;
  net::Acceptor acceptor_;
  Talks talks_{net_, acceptor_};
};

// A store with the domain here.test and the account a@here.test, a resolver, and a relay when Begin is called.
class RelayTest : public testing::Test {
 protected:
  RelayTest() {
    auto opened = store::OpenSqliteStore(folder_.path());
    EXPECT_TRUE(opened);
    store_ = std::move(*opened);
    EXPECT_TRUE(store::Await<void>([&](auto d) {
      store_->directory().AddDomain("here.test", {{{"a", "here.test"}, {}, 0}, {{"c", "here.test"}, {}, 0}}, Now(), std::move(d));
    }));
    options_.host = "mx.here.test";
    options_.limits.idle = 200ms;
    options_.timeouts.quit = 1s;
  }
  ~RelayTest() override {
    if (relay_) End();
    net_.context.stop();
  }

  static Timestamp Now() { return net::SystemClock().Now(); }
  void Begin() {
    if (!resolver_ptr_) resolver_ptr_ = &resolver_;
    auto made = Relay::Make(options_, {.context = net_.context,
                                       .deadlines = net_.deadlines,
                                       .store = *store_,
                                       .resolver = *resolver_ptr_,
                                       .randomness = SystemRandomness(),
                                       .taps = taps_,
                                       .observer = &observer_});
    ASSERT_TRUE(made) << made.error().Text();
    relay_ = std::move(*made);
    relay_->Start();
  }
  void End(std::chrono::nanoseconds grace = 2s) {
    bool done = false;
    relay_->Stop(grace, [&] { done = true; });
    EXPECT_TRUE(Until([&] { return done; }));
    relay_.reset();
  }
  bool Until(const std::function<bool()>& condition, std::chrono::milliseconds most = 10s) {
    const auto end = std::chrono::steady_clock::now() + most;
    net_.context.restart();
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
      net_.context.run_one_for(20ms);
    }
    return true;
  }
  void RouteTo(const std::string& domain, std::uint16_t port) {
    options_.routes.push_back({domain, {.host = "127.0.0.1", .port = port}});
  }

  struct Mail {
    std::vector<std::string> to{"b@far.test"};
    std::string octets = "Subject: s\r\n\r\nhello\r\n";
    store::Envelope envelope{.reverse_path = "a@here.test", .envid = {}};
    std::uint8_t notify = 0;
    std::string orcpt = {};
  };
  store::Accepted Queue(const Mail& mail) {
    store::Plan plan;
    plan.envelope = mail.envelope;
    if (plan.envelope.arrived == 0) plan.envelope.arrived = Now();
    for (const std::string& to : mail.to) {
      plan.entries.push_back({.recipient = to,
                              .destination = relay_ ? relay_->DestinationOf(to) : to.substr(to.find('@') + 1),
                              .orcpt = mail.orcpt,
                              .notify = mail.notify,
                              .due = Now()});
    }
    auto receiver = store_->Receive(Now());
    for (std::size_t at = 0; at < mail.octets.size(); at += 64 * 1024) {
      std::promise<void> ready;
      if (!receiver->Append(Octets(mail.octets).substr(at, 64 * 1024), [&](auto) { ready.set_value(); }))
        ready.get_future().wait();
    }
    auto accepted = store::Await<store::Accepted>([&](auto d) { receiver->Commit(std::move(plan), std::move(d)); });
    EXPECT_TRUE(accepted);
    if (relay_) relay_->Kick();
    return *accepted;
  }
  std::vector<store::Entry> Entries() {
    return *store::Await<std::vector<store::Entry>>([&](auto d) { store_->queue().List({}, std::move(d)); });
  }
  bool QueueEmpties(std::chrono::milliseconds most = 10s) {
    return Until([&] { return Entries().empty(); }, most);
  }
  // Of the messages in the account's INBOX, 'u' for each whose header is in UTF-8.
  std::string Utf8Marks(const std::string& local) {
    auto account = store::Await<store::Account>([&](auto d) {
      store_->directory().FindAccount({local, "here.test"}, std::move(d));
    });
    auto drop = store::Await<store::Maildrop>([&](auto d) {
      store_->mailboxes().OpenMaildrop(account->id, {"test", Now() + kSecond}, Now(), std::move(d));
    });
    std::string marks;
    for (const store::MaildropItem& item : *drop->items) marks += item.utf8_header ? 'u' : '-';
    store_->mailboxes().ReleaseMaildrop(account->inbox, "test");
    return marks;
  }
  // What lies in the account's INBOX, each with its prefix.
  std::vector<std::string> Inbox(const std::string& local = "a") {
    auto account = store::Await<store::Account>([&](auto d) {
      store_->directory().FindAccount({local, "here.test"}, std::move(d));
    });
    auto list = store::Await<std::vector<store::MailboxMessage>>(
        [&](auto d) { store_->mailboxes().ListMessages(account->inbox, 0, std::move(d)); });
    std::vector<std::string> all;
    for (const auto& m : *list) {
      std::string octets;
      while (octets.size() < m.size) {
        auto answer = store::Await<store::ReadAnswer>([&](auto d) {
          store_->mailboxes().Read({account->inbox, m.uid, octets.size(), store::MessageLimits::kChunk, false}, std::move(d));
        });
        if (answer->octets.empty()) break;
        octets += answer->octets;
      }
      all.push_back(octets);
    }
    return all;
  }
  std::vector<store::JourneyEvent> Journey(store::MessageId message) {
    store::JourneyQuery query;
    query.message = message;
    return *store::Await<std::vector<store::JourneyEvent>>([&](auto d) { store_->journeys().Find(query, std::move(d)); });
  }
  std::string Kinds(store::MessageId message) {
    std::string kinds;
    for (const auto& e : Journey(message)) kinds += (kinds.empty() ? "" : " ") + std::string(Name(*JourneyKindOf(e.kind)));
    return kinds;
  }

  struct Recorder final : Observer {
    void OnDelivery(const Delivery& d) override {
      ++counts[static_cast<int>(d.result)];
      last_reply = d.reply;
    }
    void OnTrouble(std::string_view what) override { trouble += std::string(what) + "\n"; }
    std::map<int, int> counts;
    std::string last_reply, trouble;
    int relayed() { return counts[static_cast<int>(Result::kRelayed)]; }
    int deferred() { return counts[static_cast<int>(Result::kDeferred)]; }
    int bounced() { return counts[static_cast<int>(Result::kBounced)]; }
    int dropped() { return counts[static_cast<int>(Result::kDropped)]; }
  };

  TemporaryFolder folder_;
  Net net_;
  std::unique_ptr<store::Store> store_;
  net::FixedResolver resolver_;
  net::Resolver* resolver_ptr_ = nullptr;
  RelayOptions options_;
  TapSource* taps_ = nullptr;
  Recorder observer_;
  std::unique_ptr<Relay> relay_;
};

}  // namespace glasspost::relay::test
