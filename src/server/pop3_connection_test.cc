// POP3 connections of the server over loopback: what a client sees, what is left in the store, and what hostile ones can do.
#include "server/pop3_connection.h"

#include <gmock/gmock.h>
#include <malloc.h>
#include <sys/resource.h>

#include "server/pop3_maildrop.h"
#include "server/pop3_test_support.h"
#include "wire/pop3/apop.h"
#include "wire/sasl/client.h"

namespace glasspost::server::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

TEST_F(Pop3Server, AWholeSession) {
  const auto one = Deliver("alice", "Subject: one\r\n\r\n.dot\r\n", "Return-Path: <x@b.test>\r\n");
  const auto two = Deliver("alice", MessageOf(5000));
  Start();
  Client c(port_);
  EXPECT_THAT(c.Login("alice@a.test"), StartsWith("+OK"));
  const std::string first = "Return-Path: <x@b.test>\r\nSubject: one\r\n\r\n.dot\r\n";
  const std::string second = MessageOf(5000);
  EXPECT_EQ(c.Ask("STAT"), "+OK 2 " + std::to_string(first.size() + second.size()) + "\r\n");
  EXPECT_THAT(c.AskAll("LIST"), testing::EndsWith("\r\n1 " + std::to_string(first.size()) + "\r\n2 " +
                                                  std::to_string(second.size()) + "\r\n.\r\n"));
  const std::string ids = c.AskAll("UIDL");
  EXPECT_THAT(ids, testing::EndsWith(".2\r\n.\r\n"));
  EXPECT_EQ(c.AskAll("RETR 1"), "+OK " + std::to_string(first.size()) + " octets\r\n" + Stuffed(first));
  EXPECT_EQ(c.AskAll("RETR 2"), "+OK " + std::to_string(second.size()) + " octets\r\n" + Stuffed(second));
  EXPECT_THAT(c.AskAll("TOP 2 1"),
              testing::EndsWith("\r\nSubject: test\r\n\r\n..dot 0 of a message that is nothing but lines\r\n.\r\n"));
  EXPECT_THAT(c.Ask("DELE 1"), StartsWith("+OK"));
  EXPECT_THAT(c.Ask("QUIT"), StartsWith("+OK"));
  EXPECT_EQ(c.Rest(), "");
  EXPECT_THAT(Journey(one), ElementsAre(JourneyKind::kFetched, JourneyKind::kDeleted));
  // The unique id is the same in the next session, and the number is not.
  Client again(port_);
  again.Login("alice");
  EXPECT_THAT(again.AskAll("UIDL"), testing::HasSubstr("1 " + ids.substr(ids.rfind("2 ") + 2)));
  EXPECT_THAT(Journey(two), ElementsAre(JourneyKind::kFetched));
}

TEST_F(Pop3Server, TopIsNoFetchAndRetrTwiceIsOne) {
  const auto id = Deliver("alice", MessageOf(300));
  Start();
  Client c(port_);
  c.Login("alice");
  c.AskAll("TOP 1 1000");
  c.Ask("QUIT");
  EXPECT_TRUE(Empty());
  EXPECT_THAT(Journey(id), IsEmpty());
  Client d(port_);
  d.Login("alice");
  d.AskAll("RETR 1");
  d.AskAll("RETR 1");
  d.Close();
  EXPECT_TRUE(Empty());
  EXPECT_THAT(Journey(id), ElementsAre(JourneyKind::kFetched));
}

TEST_F(Pop3Server, WhateverTheSizeTheOctetsAreRight) {
  std::vector<std::string> messages;
  constexpr std::size_t kFirst = Pop3MaildropLimits::kFirstRead, kRead = Pop3MaildropLimits::kRead;
  for (const std::size_t size : {std::size_t{10}, std::size_t{200}, kFirst - 100, kFirst, kFirst + 1, std::size_t{65'536},
                                 kRead - 1, kRead, kRead + 70, 3 * kRead + 11, std::size_t{1'000'000}, std::size_t{4000}}) {
    std::string m = MessageOf(size);
    m.resize(std::max<std::size_t>(size, 40) - 2, 'x');
    if (m.ends_with('\r')) m.back() = 'x';
    m += "\r\n";
    messages.push_back(m);
    Deliver("alice", m.substr(12), m.substr(0, 12));
  }
  Start();
  Client c(port_);
  c.Login("alice");
  for (const bool pipelined : {false, true}) {
    std::string commands;
    for (std::size_t i = messages.size(); i-- > 0;) commands += "RETR " + std::to_string(i + 1) + "\r\n";
    for (std::size_t i = 0; i < messages.size(); ++i) commands += "RETR " + std::to_string(i + 1) + "\r\n";
    if (pipelined) c.Say(commands);
    for (std::size_t i = 0; i < 2 * messages.size(); ++i) {
      const std::size_t at = i < messages.size() ? messages.size() - 1 - i : i - messages.size();
      if (!pipelined) c.Say("RETR " + std::to_string(at + 1) + "\r\n");
      ASSERT_EQ(c.Line(), "+OK " + std::to_string(messages[at].size()) + " octets\r\n");
      std::string got;
      for (std::string line = c.Line(); !line.empty(); line = c.Line()) {
        got += line;
        if (line == ".\r\n") break;
      }
      ASSERT_EQ(got, Stuffed(messages[at])) << at;
    }
  }
}

TEST_F(Pop3Server, NumbersAreFrozenWhateverArrives) {
  Deliver("alice", MessageOf(100, "one"));
  Start();
  Client c(port_);
  c.Login("alice");
  Deliver("alice", MessageOf(100, "two"));
  EXPECT_THAT(c.Ask("STAT"), StartsWith("+OK 1 "));
  EXPECT_THAT(c.AskAll("RETR 1"), testing::HasSubstr("one"));  // reads ahead what came later, and does not show it
  EXPECT_THAT(c.Ask("RETR 2"), StartsWith("-ERR"));
  EXPECT_THAT(c.Ask("DELE 1"), StartsWith("+OK"));
  EXPECT_THAT(c.Ask("QUIT"), StartsWith("+OK"));
  Client d(port_);
  d.Login("alice");
  EXPECT_THAT(d.AskAll("RETR 1"), testing::HasSubstr("two"));
}

TEST_F(Pop3Server, OneSessionAMaildrop) {
  Deliver("alice", MessageOf(100));
  Start();
  Client first(port_);
  EXPECT_THAT(first.Login("alice"), StartsWith("+OK"));
  Client second(port_);
  EXPECT_THAT(second.Login("ALICE@A.TEST"), StartsWith("-ERR [IN-USE]"));
  first.Ask("QUIT");
  // The same connection may try again.
  second.Ask("USER alice");
  EXPECT_THAT(second.Ask("PASS secret"), StartsWith("+OK"));
  Client third(port_);
  EXPECT_THAT(third.Login("alice"), StartsWith("-ERR [IN-USE]"));
  second.Reset();
  EXPECT_TRUE([&] {
    for (int i = 0; i < 200; ++i) {
      third.Ask("USER alice");
      if (third.Ask("PASS secret").starts_with("+OK")) return true;
      std::this_thread::sleep_for(5ms);
    }
    return false;
  }());
}

// However a session ends but by QUIT, everything is there afterwards, and the lock is free.
TEST_F(Pop3Server, NothingIsDeletedWithoutQuit) {
  for (int i = 0; i < 3; ++i) Deliver("alice", MessageOf(200));
  settings_.autologout = std::chrono::seconds(1);
  Start();
  for (const int how : {0, 1, 2, 3, 4}) {
    Client c(port_);
    ASSERT_THAT(c.Login("alice"), StartsWith("+OK")) << how;
    EXPECT_THAT(c.Ask("DELE 1"), StartsWith("+OK"));
    if (how == 0) c.Close();
    if (how == 1) c.Reset();
    if (how == 2) {
      EXPECT_EQ(c.Rest(), "");  // the autologout
    }
    if (how == 3) Do([&] { sessions_.ForEach([](Session& s) { s.Finish(); }); });
    if (how == 4) {
      c.Say("QUI");  // half a command
      c.Close();
    }
    ASSERT_TRUE(Empty()) << how;
  }
  Client c(port_);
  c.Login("alice");
  EXPECT_THAT(c.Ask("STAT"), StartsWith("+OK 3 "));
}

TEST_F(Pop3Server, DroppedInTheMiddleOfAMessage) {
  const auto id = Deliver("alice", MessageOf(3'000'000));
  Start();
  {
    Client c(port_, 8192);
    c.Login("alice");
    c.Say("RETR 1\r\nDELE 1\r\nQUIT\r\n");
    c.Line();
    c.Reset();
  }
  ASSERT_TRUE(Empty());
  EXPECT_THAT(Journey(id), IsEmpty());
  Client c(port_);
  c.Login("alice");
  EXPECT_THAT(c.Ask("STAT"), StartsWith("+OK 1 "));
}

TEST_F(Pop3Server, ManyDeletionsAreOneTransactionWithTheirEvents) {
  constexpr int kMany = 5000;  // more than other transactions may have events
  store::MessageId last = 0;
  {
    const auto inbox = Find("alice").inbox;
    auto receiver = store_->Receive(kNow);
    receiver->Append("Subject: x\r\n\r\n", [](store::Result<void>) {});
    store::Plan plan;
    for (int i = 0; i < kMany; ++i) plan.mailboxes.push_back({inbox, {}, 0});
    last = store::Await<store::Accepted>([&](auto d) { receiver->Commit(std::move(plan), std::move(d)); })->message;
  }
  Start();
  Client c(port_);
  c.Login("alice");
  std::string commands;
  for (int i = 1; i <= kMany; ++i) commands += "DELE " + std::to_string(i) + "\r\n";
  c.Say(commands + "QUIT\r\n");
  const std::string all = c.Rest();
  EXPECT_FALSE(all.contains("-ERR"));
  EXPECT_EQ(Find("alice").messages, 0u);
  EXPECT_THAT(Journey(last), testing::SizeIs(kMany));
}

TEST_F(Pop3Server, TheAccountGoesWhileItsMaildropIsRead) {
  Deliver("alice", MessageOf(100));
  Start();
  Client c(port_);
  c.Login("alice");
  const auto removed = store::Await<void>([&](auto d) {
    store_->directory().RemoveAccount({"alice", "a.test"}, net::SystemClock().Now(), std::move(d));
  });
  ASSERT_FALSE(removed);
  EXPECT_EQ(removed.error().fault, store::Fault::kInUse);
  // A message that another hand took away is not readable, and the session goes on.
  const auto uid = store::Await<std::vector<store::MailboxMessage>>(
      [&](auto d) { store_->mailboxes().ListMessages(Find("alice").inbox, 0, std::move(d)); });
  ASSERT_TRUE(store::Await<void>(
      [&](auto d) { store_->mailboxes().Expunge(Find("alice").inbox, {uid->front().uid}, {}, std::move(d)); }));
  EXPECT_THAT(c.Ask("RETR 1"), StartsWith("-ERR [SYS/PERM]"));
  EXPECT_THAT(c.Ask("NOOP"), StartsWith("+OK"));
}

TEST_F(Pop3Server, LoginsOfAllKinds) {
  AddUser("scram", {sasl::MakeScramVerifier("secret", "0123456789abcdef")});
  Start();
  {
    Client c(port_);
    c.Line();
    EXPECT_THAT(c.Ask("AUTH PLAIN AGFsaWNlAHNlY3JldA=="), StartsWith("+OK"));  // \0alice\0secret
  }
  {
    Client c(port_);
    EXPECT_THAT(c.Login("scram"), StartsWith("+OK"));
  }
  {
    Client c(port_);
    EXPECT_THAT(c.Login("alice", "wrong"), StartsWith("-ERR [AUTH]"));
    c.Ask("USER nobody");
    EXPECT_THAT(c.Ask("PASS wrong"), StartsWith("-ERR [AUTH]"));
    EXPECT_EQ(checker_.asked, 4);  // of nobody too: it takes as long
    checker_.busy = true;
    c.Ask("USER alice");
    EXPECT_THAT(c.Ask("PASS secret"), StartsWith("-ERR [SYS/TEMP]"));
    checker_.busy = false;
    c.Ask("USER alice");
    EXPECT_THAT(c.Ask("PASS secret"), StartsWith("+OK"));
  }
  EXPECT_TRUE(Empty());
}

// Known or not, and with whatever verifiers: whoever cannot log in by APOP learns no more than that.
TEST_F(Pop3Server, ApopOnlyWithAPlainVerifier) {
  AddUser("scram", {sasl::MakeScramVerifier("secret", "0123456789abcdef")});
  Deliver("alice", MessageOf(100));
  Start();
  const auto apop = [this](const std::string& user, const std::string& password) {
    Client c(port_);
    const std::string greeting = c.Line();
    const auto begin = greeting.find('<'), end = greeting.find('>');
    if (begin == std::string::npos || end == std::string::npos) return "no challenge in: " + greeting;
    const std::string digest = pop3::ApopDigest(Octets(greeting).substr(begin, end + 1 - begin), password);
    std::string answer = c.Ask("APOP " + user + " " + digest);
    if (answer.starts_with("+OK")) {
      EXPECT_THAT(c.Ask("STAT"), StartsWith("+OK 1 "));
    }
    return answer;
  };
  const std::string wrong = apop("alice", "wrong");
  EXPECT_THAT(wrong, StartsWith("-ERR [AUTH]"));
  EXPECT_EQ(apop("scram", "secret"), wrong);
  EXPECT_EQ(apop("scram", "wrong"), wrong);
  EXPECT_EQ(apop("nobody", "secret"), wrong);
  EXPECT_EQ(apop("@", "secret"), wrong);
  EXPECT_THAT(apop("alice", "secret"), StartsWith("+OK"));
  EXPECT_THAT(apop("alice@a.test", "secret"), StartsWith("+OK"));
  EXPECT_EQ(checker_.asked, 0);  // nobody's password was there to be checked
  EXPECT_TRUE(Empty());
}

// RFC 6856 §2: what came with a header in UTF-8 goes to those who said that they can read it, and the others are told so.
TEST_F(Pop3Server, HeadersInUtf8OnlyForThoseWhoSaidUtf8) {
  const std::string message = "Subject: \xe4\xbd\xa0\xe5\xa5\xbd\r\n\r\nhello\r\n";
  Deliver("alice", message, {}, store::kUtf8Header);
  Deliver("alice", MessageOf(100));
  Start();
  Client old(port_);
  old.Login("alice");
  EXPECT_THAT(old.Ask("RETR 1"), StartsWith("-ERR [UTF8] "));
  EXPECT_THAT(old.Ask("TOP 1 0"), StartsWith("-ERR [UTF8] "));
  EXPECT_EQ(old.Ask("LIST 1"), "+OK 1 " + std::to_string(message.size()) + "\r\n");
  EXPECT_THAT(old.AskAll("RETR 2"), testing::EndsWith(".\r\n"));
  EXPECT_THAT(old.Ask("QUIT"), StartsWith("+OK"));
  ASSERT_TRUE(Empty());
  Client able(port_);
  EXPECT_THAT(able.Line(), StartsWith("+OK"));
  EXPECT_THAT(able.Ask("UTF8"), StartsWith("+OK"));
  able.Ask("USER alice");
  EXPECT_THAT(able.Ask("PASS secret"), StartsWith("+OK"));
  EXPECT_EQ(able.AskAll("RETR 1"), "+OK " + std::to_string(message.size()) + " octets\r\n" + Stuffed(message));
}

TEST_F(Pop3Server, LoginsAndMaildropsAreEvents) {
  Deliver("alice", MessageOf(100));
  Start();
  Client c(port_);
  c.Login("alice", "wrong");
  c.Ask("USER alice");
  EXPECT_THAT(c.Ask("PASS secret"), StartsWith("+OK"));
  c.Ask("DELE 1");
  EXPECT_THAT(c.Ask("QUIT"), StartsWith("+OK"));
  ASSERT_TRUE(Empty());
  Client apop(port_);
  apop.Line();
  EXPECT_THAT(apop.Ask("APOP nobody 0f7e4eee0a7d1d4f3cd0e0a17a5ae5b7"), StartsWith("-ERR [AUTH]"));
  EXPECT_THAT(events_.lines(),
              ElementsAre("login-failed user=alice protocol=pop3", "login user=alice@a.test protocol=pop3",
                          "maildrop-opened user=alice@a.test messages=1", "maildrop-updated user=alice@a.test deleted=1",
                          "login-failed user=nobody protocol=pop3"));
}

// Guesses whose challenges were all asked for before the first failed: beyond the limit the right one, too, is refused as a wrong
// one.
TEST_F(Pop3Server, ManyProofsAtOnce) {
  AddUser("scram", {sasl::MakeScramVerifier("secret", "0123456789abcdef")});
  Start();
  struct Guess {
    Guess(std::uint16_t port, sasl::ClientMechanism mechanism, const std::string& user, const std::string& password)
        : client(port), credentials{user, password, {}}, exchange(mechanism, credentials, SystemRandomness()) {
      client.Line();
      const bool scram = mechanism == sasl::ClientMechanism::kScramSha256;
      const auto initial = exchange.Initial();
      const std::string asked = scram ? client.Ask("AUTH SCRAM-SHA-256 " + *initial) : client.Ask("AUTH CRAM-MD5");
      EXPECT_THAT(asked, StartsWith("+ "));
      EXPECT_EQ(exchange.OnChallenge(asked.substr(2, asked.size() - 4)), sasl::ClientExchange::Step::kRespond);
    }
    std::string Prove() { return client.Ask(exchange.response()); }
    Client client;
    const sasl::Credentials credentials;
    sasl::ClientExchange exchange;
  };
  using enum sasl::ClientMechanism;
  Guess scram(port_, kScramSha256, "scram", "secret"), cram(port_, kCramMd5, "alice", "secret");
  std::vector<std::unique_ptr<Guess>> guesses;
  const unsigned limit = FailedLoginLimits().failures;
  for (unsigned i = 0; i < limit + 1; ++i)
    guesses.push_back(std::make_unique<Guess>(port_, kScramSha256, "scram", "guess " + std::to_string(i)));
  for (unsigned i = 0; i < limit; ++i) EXPECT_THAT(guesses[i]->Prove(), StartsWith("-ERR [AUTH]"));
  const std::string wrong = guesses[limit]->Prove();
  EXPECT_THAT(wrong, StartsWith("-ERR [SYS/TEMP]"));
  EXPECT_EQ(scram.Prove(), wrong);
  EXPECT_EQ(cram.Prove(), wrong);
}

TEST_F(Pop3Server, WithoutTlsNoPassword) {
  settings_.protocol.plaintext_without_tls = false;
  Start();
  Client c(port_);
  EXPECT_THAT(c.Login("alice"), StartsWith("-ERR"));
  EXPECT_EQ(checker_.asked, 0);
}

TEST_F(Pop3Server, PipelinedFromTheFirstCommandToQuit) {
  for (int i = 0; i < 100; ++i) Deliver("alice", MessageOf(2000, std::to_string(i)));
  Start();
  Client c(port_);
  std::string commands = "USER alice\r\nPASS secret\r\n";
  for (int i = 1; i <= 100; ++i) commands += "RETR " + std::to_string(i) + "\r\nDELE " + std::to_string(i) + "\r\n";
  c.Say(commands + "QUIT\r\n");
  const std::string all = c.Rest();
  EXPECT_FALSE(all.contains("-ERR"));
  std::size_t at = 0;
  for (int i = 0; i < 100; ++i) {
    at = all.find("Subject: " + std::to_string(i) + "\r\n", at);
    ASSERT_NE(at, std::string::npos) << i;
  }
  EXPECT_EQ(Find("alice").messages, 0u);
}

// A client that asks and never reads: its session waits, with bounded memory, and is ended in its time; others are served.
TEST_F(Pop3Server, NeverReading) {
  AddUser("bob");
  for (int i = 0; i < 4; ++i) Deliver("alice", MessageOf(4'000'000));
  Deliver("bob", MessageOf(100));
  settings_.write = std::chrono::seconds(1);
  Start();
  Client hog(port_, 4096);
  hog.Login("alice");
  std::string commands;
  for (int i = 0; i < 1000; ++i) commands += "RETR " + std::to_string(i % 4 + 1) + "\r\n";
  hog.Say(commands);
  std::this_thread::sleep_for(100ms);
  EXPECT_EQ(sessions_.count(), 1u);
  Client c(port_);
  EXPECT_THAT(c.Login("bob"), StartsWith("+OK"));
  EXPECT_THAT(c.AskAll("RETR 1"), testing::EndsWith(".\r\n"));
  c.Ask("QUIT");
  EXPECT_TRUE(Empty());  // the hog's too: after a second
}

TEST_F(Pop3Server, OctetsNowAndThenKeepNoSessionAlive) {
  settings_.autologout = std::chrono::seconds(1);
  Start();
  Client slow(port_);
  slow.Line();
  const auto begin = std::chrono::steady_clock::now();
  while (slow.Say("x") == 1 && std::chrono::steady_clock::now() - begin < 5s) std::this_thread::sleep_for(50ms);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
}

TEST_F(Pop3Server, ALongDownloadIsNoSilence) {
  settings_.autologout = std::chrono::seconds(1);
  Deliver("alice", MessageOf(8 << 20));
  Start();
  Client slow(port_, 4096);
  EXPECT_THAT(slow.Login("alice"), StartsWith("+OK"));
  slow.Say("RETR 1\r\n");
  std::this_thread::sleep_for(1500ms);  // takes nothing of it
  for (std::string line = slow.Line(); !line.empty() && line != ".\r\n"; line = slow.Line()) {
  }
  EXPECT_THAT(slow.Ask("DELE 1"), StartsWith("+OK"));
  EXPECT_THAT(slow.Ask("QUIT"), StartsWith("+OK"));
}

TEST_F(Pop3Server, GiantLinesAndNoise) {
  Start();
  Client c(port_);
  c.Line();
  c.Say(std::string(10'000'000, 'x'));
  const std::string said = c.Rest();
  EXPECT_THAT(said, testing::AnyOf(IsEmpty(), StartsWith("-ERR")));
  std::string noise(100'000, '\0');
  unsigned seed = 1;
  for (char& o : noise) o = static_cast<char>((seed = seed * 1103515245 + 12345) >> 16);
  Client d(port_);
  d.Say(noise);
  d.Close();
  EXPECT_TRUE(Empty());
}

TEST_F(Pop3Server, ShutdownLetsARunningMessageEnd) {
  AddUser("bob");
  const std::string message = MessageOf(3'000'000);
  Deliver("alice", message);
  Start();
  Client idle(port_);
  idle.Login("bob");
  Client c(port_, 8192);
  c.Login("alice");
  c.Say("RETR 1\r\n");
  EXPECT_THAT(c.Line(), StartsWith("+OK"));
  bool all = false;
  std::thread stopping([&] { all = Shutdown(10s); });
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(idle.Rest(), "");
  std::string got = c.Rest();
  EXPECT_EQ(got, Stuffed(message));
  stopping.join();
  EXPECT_TRUE(all);
}

TEST_F(Pop3Server, ShutdownEndsWhatDoesNotEnd) {
  Deliver("alice", MessageOf(8'000'000));
  Start();
  Client c(port_, 4096);
  c.Login("alice");
  c.Say("RETR 1\r\nDELE 1\r\nQUIT\r\n");
  EXPECT_TRUE(Shutdown(300ms));
  EXPECT_EQ(Find("alice").messages, 1u);
}

TEST_F(Pop3Server, ContextEndsWithSessionsInIt) {
  Deliver("alice", MessageOf(100));
  Start();
  Client c(port_);
  c.Login("alice");
  context_.stop();
  thread_.join();
  // Destroyed with the io_context, whatever they were waiting for.
}

TEST_F(Pop3Server, SessionsTellWhoTheyAre) {
  Start();
  Client c(port_);
  c.Line();
  std::string told;
  const auto tell = [&] {
    Do([&] { sessions_.ForEach([&](Session& s) { told = s.Info().protocol + (" " + s.Info().user); }); });
    return told;
  };
  EXPECT_EQ(tell(), "pop3 ");
  c.Ask("USER alice");
  EXPECT_EQ(tell(), "pop3 ");
  c.Ask("PASS secret");
  EXPECT_EQ(tell(), "pop3 alice@a.test");
}

// Heap and frames of a session that has logged in, fetched and now waits: the store's listing is shared and not counted.
TEST_F(Pop3Server, IdleSessionsAreSmall) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "the sanitizers' memory is not ours";
#endif
  constexpr int kSessions = 200;
  for (int i = 0; i < kSessions + 1; ++i) {
    AddUser("u" + std::to_string(i));
    for (int m = 0; m < 3; ++m) Deliver("u" + std::to_string(i), MessageOf(4000));
  }
  Start();
  std::vector<std::unique_ptr<Client>> clients;
  const auto open = [&](int i) {
    clients.push_back(std::make_unique<Client>(port_));
    EXPECT_THAT(clients.back()->Login("u" + std::to_string(i)), StartsWith("+OK"));
    EXPECT_THAT(clients.back()->AskAll("RETR 1"), testing::EndsWith(".\r\n"));
    EXPECT_THAT(clients.back()->AskAll("RETR 2"), testing::EndsWith(".\r\n"));
    clients.back()->GiveMemoryBack();
  };
  // The store's readers forget what they have read when something was written since: both times they have just done so.
  const auto settle = [&] {
    std::this_thread::sleep_for(Pop3MaildropLimits::kIdle * 2 + 500ms);  // what was read ahead is given back
    const std::size_t others = clients.size();
    for (int i = 0; i < 8; ++i) {
      open(kSessions);
      clients.pop_back();
      for (int j = 0; j < 1000 && sessions_.count() > others; ++j) std::this_thread::sleep_for(1ms);
    }
  };
  for (int i = 0; i < kSessions; ++i) open(i);
  clients.clear();
  ASSERT_TRUE(Empty());
  settle();
  const auto before = mallinfo2();
  for (int i = 0; i < kSessions; ++i) open(i);
  settle();
  const auto after = mallinfo2();
  const std::size_t each = (after.uordblks + after.hblkhd - before.uordblks - before.hblkhd) / kSessions;
  RecordProperty("octets", static_cast<int>(each));
  std::printf("an idle session: %zu octets\n", each);
  EXPECT_LE(each, 16u << 10);
}

}  // namespace
}  // namespace glasspost::server::test
