// A whole SMTP connection over loopback, with a store behind it.
#include "server/smtp_connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

#include "base/journey.h"
#include "net/test_support.h"
#include "server/policies.h"
#include "server/room_policy.h"
#include "store/sqlite/sqlite_store.h"
#include "support/await.h"

namespace glasspost::server {
namespace {

using namespace std::chrono_literals;
using net::Task;

class NoEvents final : public Events {
 public:
  void Note(Event event, std::uint64_t, std::initializer_list<EventField> fields) override {
    ++counts[static_cast<std::size_t>(event)];
    if (event != Event::kEnded) return;
    for (const EventField& field : fields)
      if (field.name == "reply") ended = field.value;
  }
  int Count(Event event) const { return counts[static_cast<std::size_t>(event)]; }
  std::array<int, 64> counts{};
  std::string ended;  // the last reply of a session that was ended
};

class OneAccount final : public Authenticator {
 public:
  explicit OneAccount(store::AccountId account) : account_(account) {}
  void CheckPassword(std::string user, std::string password, Address, std::move_only_function<void(LoginResult)> done) override {
    LoginResult result;
    if (user == "ada@example.test" && password == "sesame")
      result = {LoginResult::Kind::kAccepted, account_, {"ada", "example.test"}, 0};
    std::thread([done = std::move(done), result]() mutable { done(result); }).detach();
  }
  void FindVerifiers(std::string, Address, std::move_only_function<void(FoundVerifiers)> done) override { done({}); }
  bool Blocked(const Address&) override { return false; }
  LoginResult::Kind NoteProof(const Address&, bool good) override {
    return good ? LoginResult::Kind::kAccepted : LoginResult::Kind::kRefused;
  }

 private:
  store::AccountId account_;
};

class SmtpConnectionTest : public testing::Test {
 protected:
  SmtpConnectionTest() {
    auto opened = store::OpenSqliteStore(folder_ / "data");
    EXPECT_TRUE(opened) << opened.error().Text();
    store_ = std::move(*opened);
    std::vector<store::NewAccount> accounts;
    for (const char* name : {"postmaster", "ada", "bob"}) accounts.push_back({{name, "example.test"}, {}, 0});
    accounts.push_back({{"full", "example.test"}, {}, 100});
    EXPECT_TRUE(Wait<void>([&](auto done) { store_->directory().AddDomain("example.test", accounts, 1, std::move(done)); }));
    EXPECT_TRUE(Wait<void>([&](auto done) {
      store_->directory().SetAlias(
          {{"team", "example.test"}, {{"ada", "example.test"}, {"bob", "example.test"}, {"eve", "far.test"}}}, std::move(done));
    }));
    service_ = std::make_shared<SmtpService>();
    service_->session.host = "mx.example.test";
    service_->default_domain = "example.test";
    service_->times.close = 1s;
  }

  template <class T, class F>
  static store::Result<T> Wait(F call) {
    return store::Await<T>(std::move(call));
  }
  store::Account AccountOf(const std::string& local) {
    return *Wait<store::Account>([&](auto done) { store_->directory().FindAccount({local, "example.test"}, std::move(done)); });
  }
  std::string OnlyMessage(const std::string& local) { return LastMessage(local, 1); }
  // Of `count`.
  std::string LastMessage(const std::string& local, std::size_t count) {
    const store::Account account = AccountOf(local);
    auto messages = *Wait<std::vector<store::MailboxMessage>>(
        [&](auto done) { store_->mailboxes().ListMessages(account.inbox, 0, std::move(done)); });
    EXPECT_EQ(messages.size(), count) << local;
    if (messages.size() != count || messages.empty()) return {};
    std::string all;
    while (true) {
      auto answer = *Wait<store::ReadAnswer>([&](auto done) {
        store_->mailboxes().Read({account.inbox, messages.back().uid, all.size(), 256 * 1024, false}, std::move(done));
      });
      all += answer.octets;
      if (answer.pieces.empty() || answer.pieces.back().last) return all;
    }
  }
  std::vector<store::Entry> QueueEntries() {
    return *Wait<std::vector<store::Entry>>([&](auto done) { store_->queue().List({}, std::move(done)); });
  }

  // "mailbox ada@example.test account=…", of the acceptance the word alone.
  std::vector<std::string> JourneyOf(const std::string& address) {
    std::vector<std::string> told;
    const auto events = *Wait<std::vector<store::JourneyEvent>>([&](auto done) {
      store_->journeys().Find({.key = store::JourneyQuery::Key::kAddress, .text = address}, std::move(done));
    });
    for (const store::JourneyEvent& event : events) {
      told.emplace_back(Name(*JourneyKindOf(event.kind)));
      if (event.kind == static_cast<int>(JourneyKind::kAccepted)) continue;
      told.back() += " " + event.recipient;
      Octets detail = event.detail, name, value;
      while (TakeDetail(detail, name, value)) told.back() += " " + std::string(name) + "=" + std::string(value);
    }
    return told;
  }

  // Sends `lines` when the greeting has come, gives all that the server says until it closes.
  std::string Talk(const std::string& sent) {
    RecipientCache cache(store_->directory());
    OneAccount authenticator(AccountOf("ada").id);
    const SmtpContext context{*store_, cache, authenticator, events_, SystemRandomness(), [this] { ++queued_; }};
    Sessions sessions(net_.context, net_.deadlines);
    const Worker worker{net_.context, net_.deadlines, sessions};
    net::Acceptor acceptor(net_.context, net::asio::ip::tcp::endpoint(net::asio::ip::address_v4::loopback(), 0));
    net::Socket socket(net_.context);
    socket.connect(acceptor.local_endpoint());
    net::Stream stream(std::move(socket), net::Side::kClient, net_.deadlines);
    std::string said;
    const auto client = [&]() -> Task<void> {
      co_await stream.Write(sent, 5s);
      said = co_await net::test::ReadAll(stream, std::size_t{1} << 30);
      co_await stream.Close(1s);
    };
    SmtpConnection connection(worker, context, service_, {acceptor.accept(), {}, nullptr, 7});
    net_.Both(connection.Run(), client());
    return said;
  }

  TemporaryFolder folder_;
  std::unique_ptr<store::Store> store_;
  std::shared_ptr<SmtpService> service_;
  NoEvents events_;
  net::test::Net net_;
  int queued_ = 0;
};

TEST_F(SmtpConnectionTest, AMessageLiesInTheMailbox) {
  const std::string said = Talk(
      "EHLO there\r\nMAIL FROM:<eve@far.test>\r\nRCPT TO:<ada@example.test>\r\nDATA\r\nSubject: "
      "hi\r\n\r\n..dot\r\n.\r\nQUIT\r\n");
  EXPECT_TRUE(said.starts_with("220 mx.example.test")) << said;
  EXPECT_NE(said.find("250 2.0.0 Ok: queued as "), std::string::npos) << said;
  const std::string message = OnlyMessage("ada");
  EXPECT_TRUE(message.starts_with(
      "Return-Path: <eve@far.test>\r\nDelivered-To: ada@example.test\r\nReceived: from there ([127.0.0.1])\r\n"))
      << message;
  EXPECT_TRUE(message.ends_with("\r\nSubject: hi\r\n\r\n.dot\r\n")) << message;
  EXPECT_NE(message.find("with ESMTP id "), std::string::npos);
  EXPECT_NE(message.find("\r\n\tfor <ada@example.test>; "), std::string::npos);
  EXPECT_TRUE(QueueEntries().empty());
  EXPECT_EQ(queued_, 0);
  EXPECT_EQ(events_.counts[static_cast<std::size_t>(Event::kAccepted)], 1);
}

TEST_F(SmtpConnectionTest, RelayingIsDeniedToStrangersAndUnknownsAreRefused) {
  const std::string said = Talk(
      "EHLO there\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@far.test>\r\nRCPT TO:<nobody@example.test>\r\nRCPT "
      "TO:<full@example.test>\r\n"
      "RCPT TO:<Postmaster>\r\nDATA\r\n\r\n" +
      std::string(101, 'x') + "\r\n.\r\nQUIT\r\n");
  EXPECT_NE(said.find("550 5.7.1 Relaying denied"), std::string::npos) << said;
  EXPECT_NE(said.find("550 5.1.1 <nobody@example.test> is not known here"), std::string::npos);
  EXPECT_NE(said.find("queued as"), std::string::npos) << said;
  EXPECT_NE(OnlyMessage("postmaster"), "");
  const auto entries = QueueEntries();  // what the full mailbox should have got
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].entry.recipient, "full@example.test");
  EXPECT_NE(Talk("EHLO there\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<full@example.test>\r\nDATA\r\n\r\n" + std::string(101, 'x') +
                 "\r\n.\r\nQUIT\r\n")
                .find("452 4.2.2"),
            std::string::npos);
}

TEST_F(SmtpConnectionTest, SourceRoutesAreIgnored) {
  service_->may_relay = [](const Address&) { return true; };
  Talk(
      "EHLO there\r\nMAIL FROM:<@r.test,@s.test:me@evil.test>\r\nRCPT TO:<@r.test:ada@example.test>\r\n"
      "RCPT TO:<@r.test:x@far.test>\r\nDATA\r\n\r\nx\r\n.\r\nQUIT\r\n");
  EXPECT_TRUE(OnlyMessage("ada").starts_with("Return-Path: <me@evil.test>\r\n"));
  const auto entries = QueueEntries();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].envelope.reverse_path, "me@evil.test");
  EXPECT_EQ(entries[0].entry.recipient, "x@far.test");
}

// However an address is written, a rule for it decides; one for an address decides about its tags, too.
TEST_F(SmtpConnectionTest, AccessRulesSeeAddressesAndNotSpellings) {
  AccessRule recipient, sender;
  recipient.recipient = {"secret@example.test"};
  sender.sender = {"bad@evil.test"};
  recipient.action = sender.action = AccessAction::kRefuse;
  service_->policies.push_back(std::make_unique<AccessPolicy>(std::vector{recipient, sender}));
  const auto said_to = [&](const std::string& from, const std::string& to) {
    const std::string said = Talk("EHLO there\r\nMAIL FROM:<" + from + ">\r\nRCPT TO:<" + to + ">\r\nQUIT\r\n");
    return said.find("554 5.7.1 Access denied") != std::string::npos;
  };
  for (const char* to : {"secret@example.test", "SECRET@Example.test", "\"secret\"@example.test", "\"sec\\ret\"@example.test",
                         "@r.test:secret@example.test", "secret+x@example.test", "\"secret+x\"@example.test"})
    EXPECT_TRUE(said_to("a@b.test", to)) << to;
  for (const char* from :
       {"bad@evil.test", "\"bad\"@evil.test", "@r.test:bad@evil.test", "@r.test:\"b\\ad\"@evil.test", "bad+x@evil.test"})
    EXPECT_TRUE(said_to(from, "ada@example.test")) << from;
  EXPECT_FALSE(said_to("a@b.test", "ada@example.test"));
  EXPECT_FALSE(said_to("badly@evil.test", "ada+secret@example.test"));
}

// Whoever guesses addresses is sent away, and the log tells each refusal and the end; at the limit itself it goes on.
TEST_F(SmtpConnectionTest, TooManyRecipientsAreAnEvent) {
  std::string said = "EHLO there\r\nMAIL FROM:<a@b.test>\r\n";
  for (int i = 0; i < 103; ++i) said += "RCPT TO:<ada+" + std::to_string(i) + "@example.test>\r\n";
  service_->session.limits.recipients = 100;
  EXPECT_NE(Talk(said + "QUIT\r\n").find("452 4.5.3 Too many recipients"), std::string::npos);
  EXPECT_EQ(events_.Count(Event::kDeferred), 1);
}

TEST_F(SmtpConnectionTest, WithoutRoomOnTheDiskNobodySendsHisMessage) {
  store::StoreState state{.room = 5000};
  service_->policies.push_back(std::make_unique<RoomPolicy>([&] { return state; }, net::SystemClock()));
  const std::string refused =
      Talk("EHLO there\r\nMAIL FROM:<eve@far.test> SIZE=5001\r\nRCPT TO:<ada@example.test>\r\nDATA\r\nQUIT\r\n");
  EXPECT_NE(refused.find("\r\n452 4.3.1 Insufficient system storage\r\n503 "), std::string::npos) << refused;
  EXPECT_EQ(refused.find("\r\n354 "), std::string::npos);
  EXPECT_EQ(events_.Count(Event::kDeferred), 1);
  const std::string taken = Talk(
      "EHLO there\r\nMAIL FROM:<eve@far.test> SIZE=5000\r\nRCPT TO:<ada@example.test>\r\nDATA\r\nSubject: "
      "hi\r\n\r\n.\r\nQUIT\r\n");
  EXPECT_NE(taken.find("queued as"), std::string::npos) << taken;
}

TEST_F(SmtpConnectionTest, TooManyRefusedRecipientsEndTheSessionAndAreTold) {
  service_->session.limits.refused_recipients = 3;
  const auto guess = [this](int times) {
    std::string sent = "EHLO there\r\nMAIL FROM:<eve@far.test>\r\n";
    for (int i = 0; i < times; ++i) sent += "RCPT TO:<nobody" + std::to_string(i) + "@example.test>\r\n";
    return Talk(sent + "QUIT\r\n");
  };
  const std::string most = guess(3);
  EXPECT_TRUE(most.ends_with("\r\n221 2.0.0 mx.example.test Bye\r\n")) << most;
  EXPECT_EQ(events_.Count(Event::kRefused), 3);
  EXPECT_EQ(events_.Count(Event::kEnded), 0);
  const std::string more = guess(5);
  EXPECT_TRUE(more.ends_with("\r\n421 4.7.0 mx.example.test Too many refused recipients\r\n")) << more;
  EXPECT_EQ(events_.Count(Event::kRefused), 7);
  EXPECT_EQ(events_.Count(Event::kEnded), 1);
  EXPECT_EQ(events_.ended, "421 4.7.0 mx.example.test Too many refused recipients");
}

TEST_F(SmtpConnectionTest, ErrorsAndTimeOutsThatEndASessionAreTold) {
  service_->session.limits.errors = 2;
  EXPECT_NE(Talk("X\r\nX\r\nX\r\n").find("421 4.7.0"), std::string::npos);
  EXPECT_EQ(events_.Count(Event::kEnded), 1);
  service_->times.command = 1s;
  EXPECT_NE(Talk("EHLO there\r\n").find("421 4.4.2"), std::string::npos);
  EXPECT_EQ(events_.Count(Event::kEnded), 2);
}

TEST_F(SmtpConnectionTest, AnAliasGoesToMailboxesOnceAndToTheQueue) {
  const std::string said = Talk(
      "EHLO there\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<team@example.test>\r\nRCPT "
      "TO:<ada+tag@example.test>\r\nDATA\r\n\r\nx\r\n.\r\nQUIT\r\n");
  EXPECT_NE(said.find("queued as"), std::string::npos) << said;
  EXPECT_NE(OnlyMessage("ada"), "");
  EXPECT_NE(OnlyMessage("bob"), "");
  const auto entries = QueueEntries();
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].entry.recipient, "eve@far.test");
  EXPECT_EQ(entries[0].entry.destination, "far.test");
  EXPECT_EQ(queued_, 1);
  EXPECT_THAT(JourneyOf("ada+tag@example.test"),
              testing::ElementsAre("accepted", "mailbox team@example.test account=ada@example.test",
                                   "mailbox team@example.test account=bob@example.test",
                                   "expanded team@example.test to=ada@example.test, bob@example.test, eve@far.test",
                                   "queued eve@far.test destination=far.test",
                                   "mailbox ada+tag@example.test account=ada@example.test same_copy=team@example.test"));
}

TEST_F(SmtpConnectionTest, AnAliasOfAnAddressThatHasTheMessageAlreadyIsTold) {
  const auto alias = [&](const std::string& name) {
    ASSERT_TRUE(Wait<void>([&](auto done) {
      store_->directory().SetAlias({{name, "example.test"}, {{"eve", "far.test"}}}, std::move(done));
    }));
  };
  alias("one");
  alias("two");
  Talk(
      "EHLO there\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<one@example.test>\r\nRCPT TO:<two@example.test>\r\nDATA\r\n\r\nx\r\n.\r\n"
      "QUIT\r\n");
  EXPECT_EQ(QueueEntries().size(), 1u);
  EXPECT_THAT(JourneyOf("two@example.test"),
              testing::ElementsAre("accepted", "expanded one@example.test to=eve@far.test",
                                   "queued eve@far.test destination=far.test", "expanded two@example.test to=eve@far.test"));
}

TEST_F(SmtpConnectionTest, SubmissionAddsWhatIsMissingAndChecksTheSender) {
  service_->session.role = smtp::Role::kSubmission;
  service_->session.require_auth = true;
  service_->session.passwords_without_tls = true;
  service_->session.mechanisms = {sasl::Mechanism::kPlain};
  const std::string said = Talk(
      "EHLO me\r\nAUTH PLAIN AGFkYUBleGFtcGxlLnRlc3QAc2VzYW1l\r\nMAIL FROM:<bob@example.test>\r\nMAIL FROM:<ada@example.test>\r\n"
      "RCPT TO:<x@far.test>\r\nDATA\r\nSubject: no date\r\n\r\nbody\r\n.\r\n"
      "MAIL FROM:<ada@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\n"
      "Message-ID: <1@me>\r\n\r\nbody\r\n.\r\nQUIT\r\n");
  EXPECT_NE(said.find("235 2.7.0"), std::string::npos) << said;
  EXPECT_NE(said.find("553 5.7.1 Not your address"), std::string::npos) << said;
  const auto entries = QueueEntries();
  ASSERT_EQ(entries.size(), 1u);
  const std::string queued =
      *Wait<std::string>([&](auto done) { store_->mailboxes().ReadMessage(entries[0].message, 0, 65536, std::move(done)); });
  const std::string id = store::QueueIdText(entries[0].message);
  EXPECT_NE(queued.find("\r\nMessage-ID: <" + id + "@mx.example.test>\r\nDate: "), std::string::npos) << queued;
  EXPECT_TRUE(queued.ends_with(" +0000\r\nSubject: no date\r\n\r\nbody\r\n")) << queued;
  EXPECT_NE(queued.find("with ESMTPA id " + id), std::string::npos) << queued;
  const std::string kept = OnlyMessage("bob");
  EXPECT_EQ(kept.find("Message-ID: <" + std::string("0")), std::string::npos);
  EXPECT_TRUE(kept.ends_with("Date: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@me>\r\n\r\nbody\r\n")) << kept;
}

class NoLogins final : public Policy {
 public:
  PolicyDecision AtAuth(const SmtpFacts& facts, PolicyLater&) override {
    EXPECT_EQ(facts.user, "ada@example.test");
    return PolicyVerdict{smtp::Answer::No(535, "5.7.8", "Not at this hour"), {}};
  }
};

// Whom a policy does not let in may do no more than a stranger.
TEST_F(SmtpConnectionTest, ALoginThatAPolicyRefusesIsNone) {
  service_->session.role = smtp::Role::kSubmission;
  service_->session.mechanisms = {sasl::Mechanism::kPlain};
  service_->session.passwords_without_tls = true;
  service_->policies.push_back(std::make_unique<NoLogins>());
  const std::string said = Talk(
      "EHLO there\r\nAUTH PLAIN AGFkYUBleGFtcGxlLnRlc3QAc2VzYW1l\r\nMAIL FROM:<ada@example.test>\r\nRCPT "
      "TO:<x@far.test>\r\nQUIT\r\n");
  EXPECT_NE(said.find("535 5.7.8 Not at this hour"), std::string::npos) << said;
  EXPECT_NE(said.find("550 5.7.1 Relaying denied"), std::string::npos) << said;
  EXPECT_EQ(events_.Count(Event::kLogin), 0);
}

// What begins with no field has no header; what it begins with stays body.
TEST_F(SmtpConnectionTest, SubmissionWithoutAHeader) {
  service_->session.role = smtp::Role::kSubmission;
  service_->session.require_auth = true;
  service_->session.passwords_without_tls = true;
  service_->session.mechanisms = {sasl::Mechanism::kPlain};
  const std::string begin = "MAIL FROM:<ada@example.test>\r\nRCPT TO:<bob@example.test>\r\nDATA\r\n";
  std::size_t count = 0;
  for (const char* text : {"no header at all\r\n", "none\r\n\r\nand more: of it\r\n"}) {
    Talk("EHLO me\r\nAUTH PLAIN AGFkYUBleGFtcGxlLnRlc3QAc2VzYW1l\r\n" + begin + text + ".\r\nQUIT\r\n");
    const std::string kept = LastMessage("bob", ++count);
    EXPECT_TRUE(kept.ends_with(std::string(" +0000\r\n\r\n") + text)) << kept;
  }
}

// Only what came with SMTPUTF8 and makes use of it in its header, or by its sender's address before it, is marked.
TEST_F(SmtpConnectionTest, MailWithAHeaderInUtf8IsMarked) {
  const auto send = [this](const std::string& from, const std::string& parameters, const std::string& header) {
    const std::string said =
        Talk("EHLO there\r\nMAIL FROM:<" + from + ">" + parameters + "\r\nRCPT TO:<ada@example.test>\r\nDATA\r\n" + header +
             "\r\n\r\n\xe4\xbd\xa0\r\n.\r\nQUIT\r\n");
    EXPECT_NE(said.find("queued as"), std::string::npos) << said;
  };
  send("eve@far.test", " BODY=8BITMIME", "Subject: \xe4\xbd\xa0");  // what has always been sent, and is no business of UTF8's
  send("eve@far.test", " BODY=8BITMIME SMTPUTF8", "Subject: plain");
  send("eve@far.test", " BODY=8BITMIME SMTPUTF8", "Subject: \xe4\xbd\xa0");
  send("\xe4\xbd\xa0@far.test", " BODY=8BITMIME SMTPUTF8", "Subject: plain");
  const store::Account account = AccountOf("ada");
  const auto drop = Wait<store::Maildrop>([&](auto done) {
    store_->mailboxes().OpenMaildrop(account.id, {"me", 1'000'000'000}, 1, std::move(done));
  });
  ASSERT_TRUE(drop);
  std::string marks;
  for (const store::MaildropItem& item : *drop->items) marks += item.utf8_header ? 'u' : '-';
  EXPECT_EQ(marks, "--uu");
}

TEST_F(SmtpConnectionTest, LoopsEndAndLongHeadersAreRefused) {
  std::string looping = "EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<ada@example.test>\r\nDATA\r\n";
  const std::string at_limit = [&] {
    std::string all;
    for (std::size_t i = 0; i < service_->received_limit; ++i) all += "Received: from a by b; now\r\n";
    return all;
  }();
  std::string said = Talk(looping + at_limit + "\r\nx\r\n.\r\nQUIT\r\n");
  EXPECT_NE(said.find("queued as"), std::string::npos) << said;
  said = Talk(looping + at_limit + "Received: one more\r\n\r\nx\r\n.\r\nQUIT\r\n");
  EXPECT_NE(said.find("554 5.4.6"), std::string::npos) << said;
  std::string header;
  while (header.size() <= MessageIntake::kHeaderOctets) header += "X-Long: " + std::string(900, 'x') + "\r\n";
  said = Talk(looping + header + "\r\nx\r\n.\r\nQUIT\r\n");
  EXPECT_NE(said.find("552 5.3.4"), std::string::npos) << said;
  EXPECT_NE(OnlyMessage("ada"), "");
}

TEST_F(SmtpConnectionTest, ALargeMessageComesWhole) {
  std::string body;
  for (int i = 0; body.size() < 3'000'000; ++i) body += "line " + std::to_string(i) + " of a message that is long\r\n";
  const std::string said =
      Talk("EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<ada@example.test>\r\nDATA\r\nSubject: large\r\n\r\n" + body + ".\r\nQUIT\r\n");
  EXPECT_NE(said.find("queued as"), std::string::npos) << said;
  const std::string kept = OnlyMessage("ada");
  EXPECT_TRUE(kept.ends_with("\r\n\r\n" + body));
}

}  // namespace
}  // namespace glasspost::server
