// Administration from end to end: a client at the socket, the operations, a store on the disk.
#include "server/admin.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <future>
#include <thread>

#include "base/base64.h"
#include "base/journey.h"
#include "net/system_clock.h"
#include "server/admin_client.h"
#include "server/admin_names.h"
#include "server/admin_socket.h"
#include "store/sqlite/sqlite_store.h"
#include "support/await.h"
#include "support/temporary_folder.h"

namespace glasspost::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class AdminTest : public testing::Test {
 protected:
  AdminTest() {
    auto opened = store::OpenSqliteStore(folder_ / "data");
    EXPECT_TRUE(opened) << opened.error().Text();
    store_ = *std::move(opened);
    recipients_ = std::make_unique<RecipientCache>(store_->directory());
    auto settings = std::make_shared<AdminSettings>();
    settings->host = "mx.a.test";
    settings->default_domain = "a.test";
    settings->message_octets = 1 << 20;
    context_ = std::make_unique<AdminContext>(
        AdminContext{.store = *store_,
                     .recipients = *recipients_,
                     .clock = net::SystemClock(),
                     .randomness = SystemRandomness(),
                     .settings = [settings] { return settings; },
                     .make_verifiers =
                         [](std::string password, AdminContext::Made made) {
                           std::thread([password = std::move(password), made = std::move(made)]() mutable {
                             made(std::vector<std::string>{"{PLAIN}" + password});
                           }).detach();
                         },
                     .check_verifier = [](const std::string& verifier) -> Expected<void> {
                       if (verifier.starts_with("{PLAIN}")) return {};
                       return Fail("is no verifier that is known here");
                     },
                     .directory_changed =
                         [this](std::move_only_function<void()> done) {
                           ++directory_changes_;
                           done();
                         },
                     .queue_changed = [this] { ++queue_changes_; },
                     .follow = [](std::uint64_t, bool) { return false; },
                     .events = nullptr,
                     .version = "test"});
    path_ = folder_ / "data/glasspost.sock";
    auto socket = AdminSocket::Open(path_, io_, *context_);
    EXPECT_TRUE(socket) << socket.error().Text();
    socket_ = *std::move(socket);
    socket_->Start();
    thread_ = std::thread([this] { io_.run(); });
  }
  ~AdminTest() override {
    client_.reset();
    net::asio::post(io_, [this] { socket_->Stop(); });
    thread_.join();
    socket_.reset();
    store_.reset();
  }

  AdminClient& Client() {
    if (!client_) {
      auto connected = AdminClient::Connect(path_);
      EXPECT_TRUE(connected && *connected);
      client_.emplace(std::move(**connected));
    }
    return *client_;
  }
  json::object Ask(json::object request) {
    rows_.clear();
    octets_.clear();
    const auto answer = Client().Call(
        request, [this](const json::object& row) { return rows_.push_back(row), true; },
        [this](Octets octets) { return octets_.append(octets), true; });
    EXPECT_TRUE(answer) << answer.error().Text();
    return answer.value_or(json::object());
  }
  // The fault, "ok" if there is none.
  std::string Fault(json::object request) {
    const json::object answer = Ask(std::move(request));
    return FlagIn(answer, "ok") ? "ok" : TextIn(answer, "fault");
  }
  std::vector<std::string> Column(std::string_view name) {
    std::vector<std::string> out;
    for (const json::object& row : rows_) out.push_back(TextIn(row, name));
    return out;
  }
  void AddDomainAndUser() {
    ASSERT_EQ(Fault({{"do", "domain.add"}, {"domain", "A.test"}}), "ok");
    ASSERT_EQ(Fault({{"do", "user.add"}, {"address", "ada@a.test"}, {"password", "enigma"}}), "ok");
  }
  // The queue id, or the fault.
  std::string Submit(json::object request, const std::string& message) {
    request["do"] = "submit";
    const auto refusal = Client().Submit(request);
    EXPECT_TRUE(refusal) << refusal.error().Text();
    if (*refusal) return TextIn(**refusal, "fault");
    EXPECT_TRUE(Client().SendOctets(message));
    const auto answer = Client().EndSubmit();
    EXPECT_TRUE(answer) << answer.error().Text();
    return FlagIn(*answer, "ok") ? TextIn(*answer, "id") : TextIn(*answer, "fault");
  }
  std::string MailOf(const std::string& user) {
    const auto account = store::Await<store::Account>([&](auto d) {
      store_->directory().FindAccount({user, "a.test"}, std::move(d));
    });
    if (!account) return {};
    const auto messages = store::Await<std::vector<store::MailboxMessage>>(
        [&](auto d) { store_->mailboxes().ListMessages(account->inbox, 0, std::move(d)); });
    std::string out;
    for (const store::MailboxMessage& m : *messages) {
      store::ReadRequest request;
      request.mailbox = account->inbox;
      request.uid = m.uid;
      out += store::Await<store::ReadAnswer>([&](auto d) { store_->mailboxes().Read(request, std::move(d)); })->octets;
    }
    return out;
  }

  TemporaryFolder folder_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<RecipientCache> recipients_;
  std::unique_ptr<AdminContext> context_;
  net::asio::io_context io_{1};
  std::string path_;
  std::unique_ptr<AdminSocket> socket_;
  std::thread thread_;
  std::optional<AdminClient> client_;
  std::vector<json::object> rows_;
  std::string octets_;
  std::atomic<int> directory_changes_ = 0, queue_changes_ = 0;
};

TEST(AdminNames, AreJudgedByTheGrammarAndLowered) {
  EXPECT_EQ(*ParseDomainName("Mail.Example.ORG"), "mail.example.org");
  EXPECT_EQ(*ParseDomainName("b\xc3\xbc"
                             "cher.example"),
            "b\xc3\xbc"
            "cher.example");
  for (const char* bad : {"", "a@b", "[192.0.2.1]", "-a.test", "a..b", ".a", "a b", "a\n.test"})
    EXPECT_FALSE(ParseDomainName(bad)) << bad;
  EXPECT_TRUE(ParseDomainName(std::string(63, 'a') + ".test"));
  EXPECT_FALSE(ParseDomainName(std::string(64, 'a') + ".test"));
  EXPECT_EQ(ParseAddressName("Ada@A.test")->Text(), "Ada@a.test");
  EXPECT_EQ(ParseAddressName("<ada@a.test>")->Text(), "ada@a.test");
  EXPECT_EQ(ParseAddressName("\"odd one\"@a.test")->local, "odd one");
  for (const char* bad :
       {"", "ada", "@a.test", "ada@", "ada@[192.0.2.1]", "a b@a.test", "<ada@a.test> x", "@b:c@d", "ada@a.test\r\n"})
    EXPECT_FALSE(ParseAddressName(bad)) << bad;
  EXPECT_EQ(ParseAliasName("@A.test")->Text(), "@a.test");
}

TEST_F(AdminTest, Domains) {
  json::object answer = Ask({{"do", "domain.add"}, {"domain", "A.test"}});
  EXPECT_THAT(TextsIn(answer, "accounts"), ElementsAre("postmaster@a.test", "abuse@a.test"));
  EXPECT_EQ(directory_changes_, 1);
  EXPECT_EQ(Fault({{"do", "domain.add"}, {"domain", "a.TEST"}}), "exists");
  EXPECT_EQ(Fault({{"do", "domain.add"}, {"domain", "a b"}}), "invalid");
  Ask({{"do", "domain.add"}, {"domain", "b.test"}});
  EXPECT_EQ(Fault({{"do", "domain.list"}}), "ok");
  EXPECT_THAT(Column("domain"), ElementsAre("a.test", "b.test"));
  // Those that came with it do not keep it from going.
  EXPECT_EQ(Fault({{"do", "domain.remove"}, {"domain", "b.test"}}), "ok");
  Ask({{"do", "user.add"}, {"address", "ada@a.test"}, {"password", "x"}});
  EXPECT_EQ(Fault({{"do", "domain.remove"}, {"domain", "a.test"}}), "not-empty");
  EXPECT_EQ(Fault({{"do", "domain.remove"}, {"domain", "a.test"}, {"with_all", true}}), "ok");
  EXPECT_EQ(Fault({{"do", "domain.remove"}, {"domain", "a.test"}}), "not-found");
}

TEST_F(AdminTest, Users) {
  EXPECT_EQ(Fault({{"do", "user.add"}, {"address", "ada@a.test"}, {"password", "x"}}), "not-found");
  AddDomainAndUser();
  EXPECT_EQ(Fault({{"do", "user.add"}, {"address", "Ada@a.test"}, {"password", "x"}}), "exists");
  EXPECT_EQ(Fault({{"do", "user.add"}, {"address", "bob@a.test"}}), "invalid");  // no password
  EXPECT_EQ(Fault({{"do", "user.add"}, {"address", "bob@a.test"}, {"verifiers", {"{FOO}x"}}}), "invalid");
  const json::object made = Ask({{"do", "user.add"}, {"address", "bob@a.test"}, {"generate", true}, {"quota", 1000}});
  EXPECT_EQ(TextIn(made, "password").size(), 23u);
  EXPECT_EQ(Fault({{"do", "user.password"}, {"address", "bob@a.test"}, {"verifiers", {"{PLAIN}new"}}}), "ok");
  EXPECT_EQ(Fault({{"do", "user.password"}, {"address", "eve@a.test"}, {"password", "x"}}), "not-found");
  EXPECT_EQ(Fault({{"do", "user.quota"}, {"address", "bob@a.test"}, {"quota", 5000}}), "ok");
  EXPECT_EQ(Fault({{"do", "user.list"}, {"domain", "a.test"}}), "ok");
  EXPECT_THAT(Column("address"), ElementsAre("postmaster@a.test", "abuse@a.test", "ada@a.test", "bob@a.test"));
  EXPECT_EQ(NumberIn(rows_.back(), "quota"), 5000u);
  EXPECT_THAT(TextsIn(rows_.back(), "schemes"), ElementsAre("PLAIN"));
  EXPECT_EQ(Fault({{"do", "user.remove"}, {"address", "bob@a.test"}}), "ok");
  EXPECT_EQ(Fault({{"do", "user.remove"}, {"address", "bob@a.test"}}), "not-found");
}

TEST_F(AdminTest, AliasesGrowAndShrink) {
  AddDomainAndUser();
  EXPECT_EQ(Fault({{"do", "alias.add"}, {"address", "team@a.test"}, {"targets", {"ada@a.test"}}}), "ok");
  const json::object more = Ask({{"do", "alias.add"}, {"address", "Team@a.test"}, {"targets", {"eve@a.test", "x@b.test"}}});
  EXPECT_THAT(TextsIn(more, "targets"), ElementsAre("ada@a.test", "eve@a.test", "x@b.test"));
  EXPECT_THAT(TextsIn(more, "unresolved"), ElementsAre("eve@a.test"));
  EXPECT_EQ(Fault({{"do", "alias.add"}, {"address", "@a.test"}, {"targets", {"ada@a.test"}}}), "ok");
  EXPECT_EQ(Fault({{"do", "alias.remove"}, {"address", "team@a.test"}, {"targets", {"eve@a.test"}}}), "ok");
  EXPECT_EQ(Fault({{"do", "alias.remove"}, {"address", "team@a.test"}, {"targets", {"eve@a.test"}}}), "not-found");
  EXPECT_EQ(Fault({{"do", "alias.list"}}), "ok");
  EXPECT_THAT(Column("address"), ElementsAre("@a.test", "team@a.test"));
  EXPECT_THAT(TextsIn(rows_.back(), "targets"), ElementsAre("ada@a.test", "x@b.test"));
  EXPECT_EQ(Fault({{"do", "alias.add"}, {"address", "@a.test"}, {"targets", {"ada@a.test"}}, {"replace", true}}), "ok");
  EXPECT_EQ(Fault({{"do", "alias.remove"}, {"address", "@a.test"}}), "ok");
  EXPECT_EQ(Fault({{"do", "alias.remove"}, {"address", "@a.test"}}), "not-found");
  EXPECT_EQ(Fault({{"do", "alias.add"}, {"address", "x@c.test"}, {"targets", {"ada@a.test"}}}), "not-found");
}

TEST_F(AdminTest, AMessageIsLaidIntoTheMailboxAndItsJourneyTold) {
  AddDomainAndUser();
  const std::string id = Submit({{"from", "root"}, {"to", {"ada"}}}, "Subject: hello\n\nbare\nlines\n.\n");
  ASSERT_EQ(id.size(), 11u);
  const std::string mail = MailOf("ada");
  EXPECT_THAT(
      mail,
      StartsWith("Return-Path: <root@a.test>\r\nDelivered-To: ada@a.test\r\nReceived: by mx.a.test (Glasspost, from userid "));
  EXPECT_THAT(mail, HasSubstr("\tid " + id + "\r\n\tfor <ada@a.test>; "));
  EXPECT_THAT(mail, HasSubstr("\r\nMessage-ID: <" + id + "@mx.a.test>\r\nDate: "));
  EXPECT_THAT(mail, HasSubstr("\r\nSubject: hello\r\n\r\nbare\r\nlines\r\n.\r\n"));
  for (const std::string& key :
       {id, id + "@mx.a.test", "<" + id + "@mx.a.test>", std::string("ada@a.test"), std::string("ROOT@a.test")}) {
    EXPECT_EQ(Fault({{"do", "journey"}, {"key", json::string(key)}}), "ok") << key;
    ASSERT_EQ(rows_.size(), 2u) << key;
    EXPECT_EQ(NumberIn(rows_[0], "kind"), static_cast<std::uint64_t>(JourneyKind::kAccepted));
    EXPECT_EQ(NumberIn(rows_[1], "kind"), static_cast<std::uint64_t>(JourneyKind::kMailbox));
  }
  const std::string digest = TextIn(rows_[0], "digest");
  EXPECT_EQ(digest.size(), 64u);
  EXPECT_EQ(Fault({{"do", "journey"}, {"key", json::string(digest)}}), "ok");
  EXPECT_EQ(Fault({{"do", "journey"}, {"key", "nobody@a.test"}}), "not-found");
}

TEST_F(AdminTest, AMessageIsRefusedForAnyBadRecipientOrForItself) {
  AddDomainAndUser();
  EXPECT_EQ(Submit({{"from", ""}, {"to", {"ada", "nobody"}}}, ""), "unknown-recipient");
  EXPECT_EQ(Submit({{"from", ""}, {"to", {"a b"}}}, ""), "bad-recipient");
  EXPECT_EQ(Submit({{"from", "a@@"}, {"to", {"ada"}}}, ""), "bad-sender");
  EXPECT_EQ(Submit({{"from", ""}, {"to", json::array()}}, ""), "invalid");
  EXPECT_EQ(Submit({{"from", ""}, {"to", {"ada"}}}, "Subject: x\n\n" + std::string(1 << 20, 'x')), "too-large");
  EXPECT_EQ(Submit({{"from", ""}, {"to", {"ada"}}}, std::string(300'000, 'x')), "too-large");  // a header without end
  std::string loop;
  for (int i = 0; i < 102; ++i) loop += "Received: from x\n";
  EXPECT_EQ(Submit({{"from", ""}, {"to", {"ada"}}}, loop + "\n"), "loop");
  EXPECT_EQ(MailOf("ada"), "");
  EXPECT_EQ(Fault({{"do", "recipient"}, {"address", "ada+tag"}}), "ok");
  EXPECT_EQ(Fault({{"do", "recipient"}, {"address", "nobody"}}), "unknown-recipient");
  EXPECT_EQ(Fault({{"do", "recipient"}, {"address", "x@elsewhere.test"}}), "ok");
}

TEST_F(AdminTest, ABrokenOffMessageIsNotTaken) {
  AddDomainAndUser();
  ASSERT_FALSE(*Client().Submit({{"do", "submit"}, {"to", {"ada"}}}));
  ASSERT_TRUE(Client().SendOctets("Subject: half\n\nof it"));
  client_.reset();
  EXPECT_EQ(Fault({{"do", "ping"}}), "ok");
  EXPECT_EQ(MailOf("ada"), "");
}

TEST_F(AdminTest, TheQueueByAnySelection) {
  AddDomainAndUser();
  const std::string one = Submit({{"from", "ada"}, {"to", {"x@b.test", "y@c.test"}}}, "Subject: one\n\n1\n");
  const std::string two = Submit({{"from", "bob@d.test"}, {"to", {"x@c.test"}}}, "Subject: two\n\n2\n");
  EXPECT_EQ(queue_changes_, 2);
  EXPECT_EQ(Fault({{"do", "queue.list"}}), "ok");
  EXPECT_THAT(Column("recipient"), ElementsAre("x@b.test", "y@c.test", "x@c.test"));
  const auto first = NumberIn(rows_[0], "entry");
  Ask({{"do", "queue.list"}, {"destination", "C.test"}});
  EXPECT_THAT(Column("recipient"), ElementsAre("y@c.test", "x@c.test"));
  Ask({{"do", "queue.list"}, {"sender", "ada@a.test"}});
  EXPECT_THAT(Column("id"), ElementsAre(one, one));
  Ask({{"do", "queue.list"}, {"recipient", "ada@a.test"}});
  EXPECT_TRUE(rows_.empty());  // a sender is no recipient
  Ask({{"do", "queue.list"}, {"ids", {json::string(two), json::string(std::to_string(first)), "99999"}}});
  EXPECT_THAT(Column("recipient"), ElementsAre("x@c.test", "x@b.test"));
  const json::object page = Ask({{"do", "queue.list"}, {"limit", 2}});
  EXPECT_EQ(rows_.size(), 2u);
  Ask({{"do", "queue.list"}, {"after", NumberIn(page, "next")}});
  EXPECT_THAT(Column("recipient"), ElementsAre("x@c.test"));
  EXPECT_EQ(Fault({{"do", "queue.list"}, {"ids", {"what?"}}}), "invalid");

  EXPECT_EQ(Fault({{"do", "queue.show"}, {"id", json::string(two)}}), "ok");
  EXPECT_THAT(octets_, HasSubstr("Subject: two\r\n"));
  EXPECT_THAT(octets_, Not(HasSubstr("\r\n\r\n")));
  EXPECT_EQ(Fault({{"do", "queue.show"}, {"id", json::string(two)}, {"message", true}}), "ok");
  EXPECT_THAT(octets_, testing::EndsWith("\r\n\r\n2\r\n"));
  EXPECT_EQ(Fault({{"do", "queue.show"}, {"id", "99999"}}), "not-found");
}

TEST_F(AdminTest, TheQueueIsHeldReleasedRemoved) {
  AddDomainAndUser();
  const std::string one = Submit({{"from", "ada"}, {"to", {"x@b.test", "y@c.test"}}}, "\n1\n");
  EXPECT_EQ(Fault({{"do", "queue.act"}, {"action", "hold"}}), "invalid");  // nothing is selected
  EXPECT_EQ(NumberIn(Ask({{"do", "queue.act"}, {"action", "hold"}, {"recipient", "X@b.test"}}), "count"), 1u);
  EXPECT_EQ(NumberIn(Ask({{"do", "queue.act"}, {"action", "hold"}, {"recipient", "x@b.test"}}), "count"), 0u);  // it is
  Ask({{"do", "queue.list"}, {"held", true}});
  EXPECT_THAT(Column("recipient"), ElementsAre("x@b.test"));
  EXPECT_THAT(Column("state"), ElementsAre("held"));
  EXPECT_EQ(NumberIn(Ask({{"do", "queue.act"}, {"action", "retry"}, {"all", true}}), "count"), 2u);
  EXPECT_EQ(NumberIn(Ask({{"do", "queue.act"}, {"action", "release"}, {"held", true}}), "count"), 1u);
  store::Claim claim;
  claim.lease = {"relay", net::SystemClock().Now() + 3'600'000'000'000};
  claim.now = net::SystemClock().Now();
  claim.limit = 1;
  const auto claimed =
      store::Await<std::vector<store::Entry>>([&](auto d) { store_->queue().ClaimDue(std::move(claim), std::move(d)); });
  ASSERT_EQ(claimed->size(), 1u);
  const json::object removed = Ask({{"do", "queue.act"}, {"action", "remove"}, {"ids", {json::string(one)}}});
  EXPECT_EQ(NumberIn(removed, "count"), 1u);
  EXPECT_EQ(NumberIn(removed, "active"), 1u);
  Ask({{"do", "queue.list"}});
  ASSERT_EQ(rows_.size(), 1u);
  EXPECT_EQ(TextIn(rows_[0], "state"), "active");
  Ask({{"do", "journey"}, {"key", json::string(one)}});
  std::string kinds;
  for (const json::object& row : rows_) kinds += std::string(Name(*JourneyKindOf(static_cast<int>(NumberIn(row, "kind"))))) + " ";
  EXPECT_EQ(kinds, "accepted queued queued held released removed ");
  EXPECT_THAT(*DecodeBase64(TextIn(rows_.back(), "detail")), HasSubstr("2:by"));
}

TEST_F(AdminTest, ConversationsAreListedAndRead) {
  auto& kept = store_->conversations();
  const std::uint64_t number = kept.NextNumber();
  kept.Append(number, std::string(100'000, 'e'));
  store::ConversationHead head;
  head.number = number;
  head.end = 7;
  head.protocol = "smtp";
  head.peer = "192.0.2.1:4711";
  head.summary = "\xff\x01";
  kept.Finish(head);
  EXPECT_EQ(Fault({{"do", "conversations"}, {"protocol", "smtp"}, {"peer", "192.0"}}), "ok");
  ASSERT_EQ(rows_.size(), 1u);
  EXPECT_EQ(*DecodeBase64(TextIn(rows_[0], "summary")), "\xff\x01");
  Ask({{"do", "conversations"}, {"ended_since", 7}});
  EXPECT_EQ(rows_.size(), 1u);
  Ask({{"do", "conversations"}, {"ended_since", 8}});
  EXPECT_TRUE(rows_.empty());
  context_->running = [&] {
    store::ConversationHead other = head;  // one that ended just now is told once
    other.number = number + 1;
    return std::vector{head, other};
  };
  Ask({{"do", "conversations"}});
  ASSERT_EQ(rows_.size(), 2u);
  EXPECT_EQ(NumberIn(rows_[0], "number"), number + 1);
  EXPECT_TRUE(FlagIn(rows_[0], "running"));
  Ask({{"do", "conversations"}, {"peer", "198."}});
  EXPECT_TRUE(rows_.empty());
  EXPECT_EQ(Fault({{"do", "conversation"}, {"number", number}}), "ok");
  EXPECT_EQ(octets_.size(), 100'000u);
  EXPECT_EQ(Fault({{"do", "conversation"}, {"number", number + 1}}), "not-found");
}

TEST_F(AdminTest, ARunningConversationIsFollowedToItsEnd) {
  auto& kept = store_->conversations();
  const std::uint64_t number = kept.NextNumber();
  std::atomic<int> watched = 0;
  std::atomic<bool> running = true;
  context_->follow = [&](std::uint64_t, bool on) { return watched += on ? 1 : -1, running.load(); };
  std::thread speaker([&] {
    while (watched == 0) std::this_thread::yield();
    kept.Append(number, "first ");
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    kept.Append(number, "last");
    store::ConversationHead head;
    head.number = number;
    kept.Finish(head);
    running = false;
  });
  EXPECT_EQ(Fault({{"do", "conversation"}, {"number", number}, {"follow", true}}), "ok");
  speaker.join();
  EXPECT_EQ(octets_, "first last");
  ASSERT_EQ(rows_.size(), 1u);
  EXPECT_TRUE(FlagIn(rows_[0], "running"));
}

// Another user of this machine.
class Stranger final : public AdminPeer {
 public:
  explicit Stranger(net::asio::io_context& io) : waiter_(io) {}
  net::Task<bool> SendRow(json::object) override { co_return true; }
  net::Task<bool> SendOctets(Octets) override { co_return true; }
  net::Task<bool> GoAhead() override { co_return true; }
  net::Task<std::optional<std::string>> Receive() override {
    const bool first = !std::exchange(asked_, true);
    co_return first ? std::string("Subject: x\n\nhi\n") : std::string();
  }
  net::Task<bool> Sleep(std::chrono::milliseconds) override { co_return false; }
  net::Waiter& waiter() override { return waiter_; }
  uid_t uid() const override { return 4711; }
  bool owner() const override { return false; }

 private:
  net::Waiter waiter_;
  bool asked_ = false;
};

TEST_F(AdminTest, OthersMayOnlySubmit) {
  AddDomainAndUser();
  const auto ask = [this](json::object request) {
    std::promise<json::object> promise;
    net::asio::io_context io;
    Stranger stranger(io);
    json::object answer;
    const auto run = [&]() -> net::Task<void> { answer = co_await AnswerAdmin(*context_, request, stranger); };
    net::asio::co_spawn(io.get_executor(), run(), net::asio::detached);
    io.run();
    return answer;
  };
  for (const char* denied : {"domain.add", "user.list", "user.password", "alias.add", "queue.list", "queue.act", "conversations",
                             "conversation", "journey", "status"})
    EXPECT_EQ(TextIn(ask({{"do", denied}}), "fault"), "not-permitted") << denied;
  EXPECT_EQ(TextIn(ask({{"do", "whatever"}}), "fault"), "unknown-request");
  EXPECT_TRUE(FlagIn(ask({{"do", "ping"}}), "ok"));
  EXPECT_TRUE(FlagIn(ask({{"do", "submit"}, {"from", "eve"}, {"to", {"ada"}}}), "ok"));
  EXPECT_THAT(MailOf("ada"), HasSubstr("from userid 4711"));
}

TEST_F(AdminTest, RubbishIsAnsweredOrEndsTheConnection) {
  EXPECT_EQ(Fault({}), "unknown-request");
  EXPECT_EQ(Fault({{"do", 7}}), "unknown-request");
  const auto raw = [this](const std::string& octets) {
    const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::copy(path_.begin(), path_.end(), address.sun_path);
    EXPECT_EQ(::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::send(socket, octets.data(), octets.size(), MSG_NOSIGNAL), static_cast<ssize_t>(octets.size()));
    std::string out(4096, '\0');
    const ssize_t got = ::recv(socket, out.data(), out.size(), 0);
    ::close(socket);
    return out.substr(0, got > 0 ? static_cast<std::size_t>(got) : 0);
  };
  EXPECT_EQ(raw("GET / HTTP/1.0\r\n\r\n"), "");
  std::string frame;
  AppendFrame(frame, FrameType::kJson, "[1,2]");
  EXPECT_THAT(raw(frame), HasSubstr("is no JSON object"));
  frame.clear();
  AppendFrame(frame, FrameType::kOctets, "unasked for");
  EXPECT_EQ(raw(frame), "");
  EXPECT_EQ(Fault({{"do", "ping"}}), "ok");
}

TEST_F(AdminTest, TheSocketIsForAll) {
  struct stat about = {};
  ASSERT_EQ(::stat(path_.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0666u);
}

TEST_F(AdminTest, ADeadServersSocketIsReplacedALiveOnesNot) {
  net::asio::io_context io;
  const auto taken = AdminSocket::Open(path_, io, *context_);
  ASSERT_FALSE(taken);
  EXPECT_THAT(taken.error().Text(), HasSubstr("another server listens there"));
  const std::string dead = folder_ / "dead.sock";
  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  std::copy(dead.begin(), dead.end(), address.sun_path);
  ASSERT_EQ(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  ::close(socket);
  EXPECT_FALSE(*AdminClient::Connect(dead));  // nobody there
  EXPECT_TRUE(AdminSocket::Open(dead, io, *context_));
  EXPECT_THAT(AdminSocket::Open(folder_ / "data/mail.db", io, *context_).error().Text(), HasSubstr("is no socket"));
  EXPECT_THAT(AdminSocket::Open(folder_ / std::string(200, 'x'), io, *context_).error().Text(), HasSubstr("too long"));
}

}  // namespace
}  // namespace glasspost::server
