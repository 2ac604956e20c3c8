// The relay whole, between a store and hosts on loopback.
#include "relay/relay.h"

#include <gmock/gmock.h>

#include "base/journey.h"
#include "relay/test_support.h"
#include "wire/mime/structure.h"

namespace glasspost::relay {
namespace {

using namespace std::chrono_literals;
using test::Host;
using test::RawHost;
using test::RelayTest;
using test::Taken;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(RelayTest, ByMxWithAJourney) {
  Host host(net_);
  options_.port = host.port();
  ASSERT_TRUE(resolver_.Add("far.test", dns::kTypeMx, "10 mx.far.test."));
  ASSERT_TRUE(resolver_.Add("mx.far.test", dns::kTypeA, "127.0.0.1"));
  Begin();
  const std::string octets = "Subject: s\r\n\r\n.dot\r\nend without line end";
  const auto accepted = Queue({.octets = octets});
  ASSERT_TRUE(QueueEmpties());
  ASSERT_EQ(host.taken.size(), 1u);
  EXPECT_EQ(host.taken[0].from, "a@here.test");
  EXPECT_THAT(host.taken[0].to, ElementsAre("b@far.test"));
  EXPECT_EQ(host.taken[0].octets, octets + "\r\n");
  EXPECT_EQ(Kinds(accepted.message), "routed attempt relayed");
  const auto events = Journey(accepted.message);
  EXPECT_EQ(FindDetail(events[0].detail, "question"), "far.test. MX");
  EXPECT_FALSE(FindDetail(events[0].detail, "answer").empty());
  EXPECT_EQ(FindDetail(events[0].detail, "hosts"), "mx.far.test 127.0.0.1:" + std::to_string(host.port()));
  EXPECT_EQ(FindDetail(events[2].detail, "host"), "mx.far.test");
  EXPECT_EQ(FindDetail(events[2].detail, "next_id"), "NEXT1");
  EXPECT_EQ(events[2].recipient, "b@far.test");
}

TEST_F(RelayTest, OneTransactionForManyRecipientsUpToTheLimit) {
  Host host(net_);
  RouteTo("far.test", host.port());
  options_.limits.recipients = 3;
  Begin();
  Queue({.to = {"1@far.test", "2@far.test", "3@far.test", "4@far.test"}});
  ASSERT_TRUE(QueueEmpties());
  ASSERT_EQ(host.taken.size(), 2u);
  EXPECT_EQ(host.taken[0].to.size() + host.taken[1].to.size(), 4u);
}

TEST_F(RelayTest, AConnectionIsUsedAgainAndNotForEver) {
  Host host(net_);
  RouteTo("far.test", host.port());
  options_.limits.per_destination = 1;
  options_.limits.messages = 4;
  Begin();
  for (int i = 0; i < 10; ++i) Queue({});
  ASSERT_TRUE(QueueEmpties());
  EXPECT_EQ(host.taken.size(), 10u);
  EXPECT_EQ(host.connections, 3u);
  EXPECT_EQ(host.most_open, 1u);
  EXPECT_TRUE(Until([&] { return host.open == 0; }));  // idle ones are closed
}

TEST_F(RelayTest, AKeptConnectionThatTheHostHasClosed) {
  Host host(net_);
  RouteTo("far.test", host.port());
  host.close_after = 1;
  options_.limits.per_destination = 1;
  Begin();
  for (int i = 0; i < 4; ++i) Queue({});
  ASSERT_TRUE(QueueEmpties());
  EXPECT_EQ(host.taken.size(), 4u);
  EXPECT_EQ(observer_.deferred(), 0);
}

TEST_F(RelayTest, RefusedAndDeferredRecipientsOfOneTransaction) {
  Host host(net_);
  RouteTo("far.test", host.port());
  host.on_recipient = [](const std::string& to, std::size_t) {
    if (to == "no@far.test") return smtp::Answer::No(550, "5.1.1", "no such user");
    if (to == "later@far.test") return smtp::Answer::No(451, "4.7.1", "greylisted");
    return smtp::Answer{};
  };
  Begin();
  const auto accepted = Queue({.to = {"yes@far.test", "no@far.test", "later@far.test"}});
  ASSERT_TRUE(Until([&] { return Entries().size() == 1 && Inbox().size() == 1; }));
  EXPECT_THAT(host.taken.at(0).to, ElementsAre("yes@far.test"));
  const store::Entry left = Entries()[0];
  EXPECT_EQ(left.entry.recipient, "later@far.test");
  EXPECT_EQ(left.attempts, 1);
  EXPECT_THAT(left.last_reply, HasSubstr("451 4.7.1 greylisted"));
  EXPECT_TRUE(left.lease.owner.empty());
  EXPECT_GT(left.entry.due, Now() + 200 * kSecond);
  const std::string bounce = Inbox()[0];
  EXPECT_THAT(bounce, HasSubstr("Return-Path: <>\r\nDelivered-To: a@here.test\r\n"));
  EXPECT_THAT(bounce, HasSubstr("Final-Recipient: rfc822; no@far.test\r\n"));
  EXPECT_THAT(bounce, HasSubstr("Diagnostic-Code: smtp; 550 5.1.1 no such user\r\n"));
  EXPECT_THAT(bounce, Not(HasSubstr("later@")));
  EXPECT_THAT(bounce, HasSubstr("Subject: s\r\n"));
  EXPECT_THAT(bounce, Not(HasSubstr("hello")));
  EXPECT_EQ(mime::ReadStructure(bounce).parts.at(0).type, "multipart/report");
  EXPECT_THAT(Kinds(accepted.message), HasSubstr("bounced"));
}

TEST_F(RelayTest, TheWholeMessageIfThatWasAskedFor) {
  Host host(net_);
  RouteTo("far.test", host.port());
  host.on_message = [](const Taken&) { return smtp::Answer::No(554, "5.7.1", "spam"); };
  Begin();
  const std::string octets = "Subject: s\r\n\r\n" + std::string(200'000, 'x') + "\r\n";
  Queue({.octets = octets, .envelope = {.reverse_path = "a@here.test", .envid = "e", .ret = 1}});
  ASSERT_TRUE(QueueEmpties());
  ASSERT_EQ(Inbox().size(), 1u);
  EXPECT_THAT(Inbox()[0], HasSubstr(octets));
  EXPECT_THAT(Inbox()[0], HasSubstr("Original-Envelope-Id: e\r\n"));
}

// More than the store takes at once: a host of many words must not keep the sender from knowing.
TEST_F(RelayTest, AReportOfLongRepliesIsWritten) {
  RawHost host(net_);
  std::string reply;
  for (int i = 0; i < 40; ++i) reply += "550-5.1.1 " + std::string(80, 'x') + "\r\n";
  host.says["RCPT"] = reply + "550 5.1.1 end";
  RouteTo("far.test", host.port());
  Begin();
  Mail mail{.to = {}};
  for (int i = 0; i < 100; ++i) mail.to.push_back("b" + std::to_string(i) + "@far.test");
  Queue(mail);
  ASSERT_TRUE(QueueEmpties(45s));
  ASSERT_EQ(Inbox().size(), 1u) << observer_.trouble;
  const std::string report = Inbox()[0];
  EXPECT_GT(report.size(), store::MessageLimits::kChunk);
  for (const std::string& to : mail.to)
    EXPECT_NE(report.find("Final-Recipient: rfc822; " + to + "\r\n"), std::string::npos) << to;
}

TEST_F(RelayTest, NobodyIsToldOfAReportThatCannotBeDelivered) {
  Host host(net_);
  RouteTo("far.test", host.port());
  host.on_recipient = [](const std::string&, std::size_t) { return smtp::Answer::No(550, "5.1.1", "no"); };
  Begin();
  const auto accepted = Queue({.envelope = {.reverse_path = "", .envid = {}}});
  Queue({.notify = 1});                                                    // NEVER
  Queue({.notify = 2});                                                    // SUCCESS only
  Queue({.envelope = {.reverse_path = "nobody@here.test", .envid = {}}});  // there is no such sender
  ASSERT_TRUE(QueueEmpties());
  EXPECT_EQ(Kinds(accepted.message), "routed attempt dropped");
  EXPECT_TRUE(Inbox().empty());
}

TEST_F(RelayTest, ABounceGoesToASenderElsewhere) {
  Host host(net_);
  RouteTo("far.test", host.port());
  RouteTo("sender.test", host.port());
  host.on_recipient = [](const std::string& to, std::size_t) {
    return to == "b@far.test" ? smtp::Answer::No(550, "5.1.1", "no") : smtp::Answer{};
  };
  Begin();
  Queue({.envelope = {.reverse_path = "s@sender.test", .envid = {}}});
  ASSERT_TRUE(QueueEmpties());
  ASSERT_EQ(host.taken.size(), 1u);
  EXPECT_EQ(host.taken[0].from, "");
  EXPECT_THAT(host.taken[0].to, ElementsAre("s@sender.test"));
  EXPECT_THAT(host.taken[0].octets, HasSubstr("multipart/report"));
}

TEST_F(RelayTest, SuccessIsReportedWhereTheNextHopWillNot) {
  Host host(net_);
  RouteTo("far.test", host.port());
  host.options.extensions.dsn = false;
  Begin();
  Queue({.notify = 2, .orcpt = "rfc822;b@far.test"});
  ASSERT_TRUE(QueueEmpties());
  ASSERT_EQ(Inbox().size(), 1u);
  EXPECT_THAT(Inbox()[0], HasSubstr("Action: relayed\r\n"));
  host.options.extensions.dsn = true;
  EXPECT_TRUE(Until([&] { return host.open == 0; }));
  Queue({.envelope = {.reverse_path = "a@here.test", .envid = "a b"}, .notify = 2, .orcpt = "rfc822;x@y"});
  ASSERT_TRUE(QueueEmpties());
  EXPECT_EQ(Inbox().size(), 1u);
  EXPECT_EQ(host.taken.at(1).parameters, "a+20b");
  EXPECT_EQ(host.orcpts.back(), "rfc822;x@y");
}

TEST_F(RelayTest, DelayIsToldOnceAndThenTheMessageExpires) {
  Host host(net_);
  RouteTo("far.test", host.port());
  host.on_recipient = [](const std::string&, std::size_t) { return smtp::Answer::No(451, "4.3.0", "not now"); };
  Begin();
  Queue({.envelope = {.reverse_path = "a@here.test", .envid = {}, .arrived = Now() - 5 * 3600 * kSecond}});
  ASSERT_TRUE(Until([&] { return Inbox().size() == 1; }));
  EXPECT_THAT(Inbox()[0], HasSubstr("Action: delayed\r\nStatus: 4.3.0\r\n"));
  ASSERT_TRUE(Until([&] { return Entries().at(0).lease.owner.empty(); }));
  EXPECT_GT(Entries().at(0).delay_told, 0);
  const auto old = Queue({.envelope = {.reverse_path = "a@here.test", .envid = {}, .arrived = Now() - 6 * 86'400 * kSecond}});
  ASSERT_TRUE(Until([&] { return Inbox().size() == 2; }));
  EXPECT_THAT(Inbox()[1], HasSubstr("Action: failed\r\nStatus: 4.4.7\r\n"));
  EXPECT_THAT(Kinds(old.message), HasSubstr("bounced"));
}

TEST_F(RelayTest, WhatTheHopCannotTakeIsNotChangedSilently) {
  Host host(net_);
  RouteTo("far.test", host.port());
  host.options.extensions.smtputf8 = false;
  Begin();
  Queue({.envelope = {.reverse_path = "a@here.test", .envid = {}, .eight_bit = true, .smtputf8 = true}});
  ASSERT_TRUE(QueueEmpties());
  ASSERT_EQ(Inbox().size(), 1u);
  EXPECT_THAT(Inbox()[0], HasSubstr("Status: 5.6.7\r\n"));
  EXPECT_TRUE(host.taken.empty());
}

TEST_F(RelayTest, FailuresOfTheDns) {
  ASSERT_TRUE(resolver_.Add("null.test", dns::kTypeMx, "0 ."));
  resolver_.AddFailure("dead.test");
  Begin();
  Queue({.to = {"x@null.test"}});
  Queue({.to = {"x@nowhere.test"}});
  Queue({.to = {"x@dead.test"}});
  ASSERT_TRUE(Until([&] { return Inbox().size() == 2 && Entries().size() == 1 && Entries()[0].attempts == 1; }));
  EXPECT_THAT(Inbox()[0] + Inbox()[1], testing::AllOf(HasSubstr("Status: 5.1.10\r\n"), HasSubstr("Status: 5.1.2\r\n")));
  EXPECT_EQ(Entries()[0].entry.destination, "dead.test");
  EXPECT_EQ(relay_->counts().down, 1u);
}

// Each stage at which a host may break off or talk nonsense: the message waits, and goes when the host has come to its senses.
TEST_F(RelayTest, HostsThatBreakOffOrLie) {
  RawHost host(net_);
  RouteTo("far.test", host.port());
  options_.limits.unproven = 1;
  options_.limits.idle = 0ms;
  Begin();
  const auto good = host.says;
  int expected = 0;
  for (const std::string word : {"", "EHLO", "MAIL", "RCPT", "DATA", "."}) {
    for (const std::string answer : {"!", "garbage", "250", "999 what", "250-never\r\n451 different", "421 closing"}) {
      if (answer == "250" && word != "DATA") continue;
      SCOPED_TRACE(word + " -> " + answer);
      host.says = good;
      host.says[word] = answer;
      ASSERT_TRUE(Until([&] { return relay_->counts().connections == 0; }));
      const int before = observer_.deferred();
      const auto accepted = Queue({});
      ASSERT_TRUE(Until([&] { return observer_.deferred() > before; })) << observer_.last_reply;
      ASSERT_TRUE(Until([&] { return Entries().size() == 1 && Entries()[0].lease.owner.empty(); }));
      EXPECT_EQ(Entries()[0].attempts, 1);
      host.says = good;
      store::Await<std::uint64_t>([&](auto d) { store_->queue().Act(store::QueueAction::kRetry, {}, Now(), std::move(d)); });
      relay_->Retry();
      ASSERT_TRUE(QueueEmpties()) << observer_.last_reply;
      EXPECT_THAT(Kinds(accepted.message), HasSubstr("deferred"));
      ++expected;
    }
  }
  EXPECT_GT(expected, 25);
  EXPECT_EQ(observer_.bounced(), 0);
}

TEST_F(RelayTest, OneHostIsSilentOthersAreServed) {
  Host silent(net_), good(net_);
  silent.stall = true;
  RouteTo("slow.test", silent.port());
  RouteTo("far.test", good.port());
  options_.limits.in_hand = 40;
  options_.limits.in_hand_of_destination = 10;
  options_.limits.connections = 6;
  Begin();
  for (int i = 0; i < 100; ++i) Queue({.to = {"x@slow.test"}});
  for (int i = 0; i < 20; ++i) Queue({});
  ASSERT_TRUE(Until([&] { return good.taken.size() == 20; }));
  EXPECT_LE(silent.most_open, options_.limits.unproven);
  EXPECT_LE(relay_->counts().in_hand, 40u);
  End(10ms);
  for (const store::Entry& entry : Entries()) ASSERT_TRUE(entry.lease.owner.empty());
  EXPECT_EQ(Entries().size(), 100u);
}

TEST_F(RelayTest, ASilentHostIsGivenUpInTime) {
  Host silent(net_);
  silent.stall = true;
  RouteTo("far.test", silent.port());
  options_.timeouts.greeting = 1s;
  Begin();
  Queue({});
  ASSERT_TRUE(Until([&] { return observer_.deferred() == 1; }));
  EXPECT_THAT(observer_.last_reply, HasSubstr("4.4.2"));
}

TEST_F(RelayTest, ADeadHostIsNotAskedForEachMessage) {
  std::uint16_t port = 0;
  {
    net::Acceptor closed(net_.context, {net::asio::ip::address_v4::loopback(), 0});
    port = closed.local_endpoint().port();
  }
  RouteTo("far.test", port);
  Begin();
  for (int i = 0; i < 50; ++i) Queue({});
  ASSERT_TRUE(Until([&] {
    const auto entries = Entries();
    return relay_->counts().down == 1 && relay_->counts().in_hand == 0 && !entries.empty();
  }));
  EXPECT_EQ(Entries().size(), 50u);
  EXPECT_GE(observer_.deferred(), 1);
}

TEST_F(RelayTest, TheNextHostIsTried) {
  Host good(net_);
  options_.port = good.port();
  ASSERT_TRUE(resolver_.Add("far.test", dns::kTypeMx, "10 first.test."));
  ASSERT_TRUE(resolver_.Add("far.test", dns::kTypeMx, "20 second.test."));
  ASSERT_TRUE(resolver_.Add("first.test", dns::kTypeA, "127.0.0.2"));  // nobody listens there
  ASSERT_TRUE(resolver_.Add("second.test", dns::kTypeA, "127.0.0.1"));
  Begin();
  Queue({});
  ASSERT_TRUE(QueueEmpties());
  EXPECT_EQ(good.taken.size(), 1u);
}

TEST_F(RelayTest, WhatWasSentWholeAndNotAnsweredIsInDoubtAndTriedAgain) {
  RawHost host(net_);
  RouteTo("far.test", host.port());
  host.says["."] = "!";
  Begin();
  Queue({});
  ASSERT_TRUE(Until([&] { return observer_.deferred() == 1; }));
  EXPECT_EQ(host.connections, 1u);
}

TEST_F(RelayTest, MoreRecipientsThanTheHostTakesAtOnce) {
  Host host(net_);
  RouteTo("far.test", host.port());
  host.on_recipient = [](const std::string&, std::size_t before) {
    return before >= 2 ? smtp::Answer::No(452, "4.5.3", "too many") : smtp::Answer{};
  };
  Begin();
  Queue({.to = {"1@far.test", "2@far.test", "3@far.test", "4@far.test", "5@far.test"}});
  ASSERT_TRUE(QueueEmpties());
  EXPECT_EQ(host.taken.size(), 3u);
  EXPECT_EQ(observer_.deferred(), 0);
}

TEST_F(RelayTest, ALargeMessageIsStreamed) {
  Host host(net_);
  RouteTo("far.test", host.port());
  Begin();
  std::string octets = "Subject: large\r\n\r\n";
  for (int i = 0; octets.size() < 3'000'000; ++i) octets += "." + std::to_string(i) + " line\r\n";
  Queue({.octets = octets});
  ASSERT_TRUE(QueueEmpties());
  EXPECT_TRUE(host.taken.at(0).octets == octets);
  host.options.extensions.chunking = false;
  EXPECT_TRUE(Until([&] { return host.open == 0; }));
  Queue({.octets = octets});
  ASSERT_TRUE(QueueEmpties());
  EXPECT_TRUE(host.taken.at(1).octets == octets);
}

TEST_F(RelayTest, ADomainThatIsOursNow) {
  Begin();
  EXPECT_TRUE(store::Await<void>([&](auto d) {
    store_->directory().SetAlias({{"both", "here.test"}, {{"a", "here.test"}, {"c", "here.test"}, {"x", "far.test"}}},
                                 std::move(d));
  }));
  Queue({.to = {"c@here.test"}, .notify = 2});
  ASSERT_TRUE(QueueEmpties());
  ASSERT_EQ(Inbox("c").size(), 1u);
  EXPECT_EQ(Inbox("c")[0], "Return-Path: <a@here.test>\r\nDelivered-To: c@here.test\r\nSubject: s\r\n\r\nhello\r\n");
  EXPECT_THAT(Inbox("a").at(0), HasSubstr("Action: delivered\r\n"));
  Queue({.to = {"nobody@here.test"}});
  ASSERT_TRUE(Until([&] { return Inbox("a").size() == 2; }));
  EXPECT_THAT(Inbox("a")[1], HasSubstr("Status: 5.1.1\r\n"));
  Host host(net_);
  options_.routes.clear();
  const auto accepted = Queue({.to = {"both@here.test"}, .envelope = {.reverse_path = "c@here.test", .envid = {}}});
  ASSERT_TRUE(Until([&] { return Inbox("a").size() == 3; }));
  EXPECT_EQ(Kinds(accepted.message), "expanded");
  // The third target is elsewhere, and does not exist.
  ASSERT_TRUE(QueueEmpties());
  EXPECT_THAT(Inbox("c").back(), HasSubstr("Status: 5.1.2\r\n"));
}

TEST_F(RelayTest, AFullMailboxIsTriedAgainAndKeepsNoOthersBack) {
  Begin();
  EXPECT_TRUE(store::Await<void>([&](auto d) {
    store_->directory().SetAlias({{"both", "here.test"}, {{"a", "here.test"}, {"c", "here.test"}}}, std::move(d));
  }));
  EXPECT_TRUE(store::Await<void>([&](auto d) { store_->directory().SetQuota({"c", "here.test"}, 50, std::move(d)); }));
  Queue({.to = {"c@here.test"}, .notify = 2});
  ASSERT_TRUE(Until([&] { return observer_.deferred() == 1; }));
  EXPECT_THAT(observer_.last_reply, HasSubstr("452 4.2.2"));
  Queue({.to = {"both@here.test"}});
  ASSERT_TRUE(Until([&] { return observer_.deferred() == 2; }));
  EXPECT_EQ(Inbox("a").size(), 1u);
  EXPECT_TRUE(Inbox("c").empty());
}

TEST_F(RelayTest, AFullMailboxIsRefusedWhereThatIsPermanent) {
  options_.quota_permanent = true;
  Begin();
  EXPECT_TRUE(store::Await<void>([&](auto d) { store_->directory().SetQuota({"c", "here.test"}, 50, std::move(d)); }));
  Queue({.to = {"c@here.test"}});
  ASSERT_TRUE(QueueEmpties());
  ASSERT_TRUE(Until([&] { return Inbox("a").size() == 1; }));
  EXPECT_THAT(Inbox("a")[0], HasSubstr("Status: 5.2.2\r\n"));
  EXPECT_TRUE(Inbox("c").empty());
}

// RFC 6856: which of the messages that the relay itself puts into mailboxes have a header in UTF-8.
TEST_F(RelayTest, ReportsAndCopiesInUtf8AreMarked) {
  Begin();
  EXPECT_TRUE(store::Await<void>([&](auto d) {
    store_->directory().SetAlias({{"both", "here.test"}, {{"a", "here.test"}, {"c", "here.test"}}}, std::move(d));
  }));
  const store::Envelope utf8{.reverse_path = "a@here.test", .envid = {}, .eight_bit = true, .smtputf8 = true};
  const std::string header = "Subject: \xe4\xbd\xa0\r\n\r\nx\r\n", body = "Subject: x\r\n\r\n\xe4\xbd\xa0\r\n";
  for (const std::string& octets : {header, body}) {
    Queue({.to = {"both@here.test"}, .octets = octets, .envelope = utf8});
    ASSERT_TRUE(QueueEmpties());
  }
  EXPECT_EQ(Utf8Marks("a"), "u-");
  EXPECT_EQ(Utf8Marks("c"), "u-");
  // A report speaks UTF-8 in its own header only to an address that is written in it.
  Queue({.to = {"nobody@here.test"}, .octets = header, .envelope = utf8});
  ASSERT_TRUE(Until([&] { return Inbox("a").size() == 3; }));
  EXPECT_EQ(Utf8Marks("a"), "u--");
}

TEST_F(RelayTest, StoppingLetsTransactionsEndAndGivesTheRestBack) {
  Host host(net_);
  RouteTo("far.test", host.port());
  options_.limits.per_destination = 1;
  Begin();
  bool asked = false;
  host.on_message = [&](const Taken&) {
    asked = true;
    return smtp::Answer{};
  };
  for (int i = 0; i < 30; ++i) Queue({.octets = std::string(60'000, 'x')});
  ASSERT_TRUE(Until([&] { return asked; }));
  End();
  const auto left = Entries();
  EXPECT_EQ(left.size() + host.taken.size(), 30u);
  EXPECT_EQ(observer_.deferred(), 0);
  for (const store::Entry& entry : left) ASSERT_TRUE(entry.lease.owner.empty());
}

// Two hosts of one domain: what the first says before any message is its own affair, as long as there is another (RFC 5321 §5.1).
class TwoHosts : public RelayTest {
 protected:
  TwoHosts() {
    options_.port = second_.port();
    resolver_.Add("far.test", dns::kTypeMx, "10 first.test.");
    resolver_.Add("far.test", dns::kTypeMx, "20 second.test.");
    resolver_.Add("first.test", dns::kTypeA, "127.0.0.2");
    resolver_.Add("second.test", dns::kTypeA, "127.0.0.1");
  }
  RawHost second_{net_};
  RawHost first_{net_, "127.0.0.2", second_.port()};
};

TEST_F(TwoHosts, TheSecondIsAskedWhereTheFirstRefuses) {
  for (const auto& [word, reply] :
       {std::pair("", "521 5.3.2 takes no mail"), std::pair("EHLO", "550 5.7.1 not with this name")}) {
    first_.says = {{"", "220 raw"}, {"QUIT", "221 bye"}};
    first_.says[word] = reply;
    first_.says["HELO"] = reply;
    second_.heard.clear();
    Begin();
    Queue({});
    EXPECT_TRUE(Until([&] { return second_.heard["."] == 1; })) << reply;
    EXPECT_TRUE(QueueEmpties());
    EXPECT_EQ(observer_.bounced(), 0);
    End();
  }
}

TEST_F(TwoHosts, MailIsRefusedWhereBothRefuse) {
  first_.says[""] = second_.says[""] = "521 5.3.2 takes no mail";
  Begin();
  Queue({});
  EXPECT_TRUE(Until([&] { return observer_.bounced() == 1; }));
}

TEST_F(TwoHosts, MailWaitsWhereOneRefusesAndTheOtherIsBusy) {
  first_.says[""] = "421 4.3.2 busy";
  second_.says[""] = "521 5.3.2 takes no mail";
  Begin();
  Queue({});
  EXPECT_TRUE(Until([&] { return observer_.deferred() == 1; }));
  EXPECT_EQ(observer_.bounced(), 0);
}

class TlsRelayTest : public RelayTest {
 protected:
  TlsRelayTest() : host_(net_) {
    const net::KeyPairFiles files = net::test::MakePair(folder_, "hop.test");
    host_.tls = *net::TlsContext::ForServer({.pairs = {files}, .alpn = {}});
    authorities_ = files.certificate;
  }
  void Route(TlsPolicy tls, bool verify) {
    options_.routes.push_back({"far.test", {.host = "127.0.0.1", .port = host_.port(), .tls = tls, .verify = verify}});
  }
  Host host_;
  std::string authorities_;
};

TEST_F(TlsRelayTest, IfOfferedWhoeversCertificate) {
  Route(TlsPolicy::kIfOffered, false);
  Begin();
  const auto accepted = Queue({});
  ASSERT_TRUE(QueueEmpties());
  EXPECT_TRUE(host_.taken.at(0).tls);
  EXPECT_THAT(std::string(FindDetail(Journey(accepted.message).at(1).detail, "tls")), HasSubstr("TLSv1.3"));
}

TEST_F(TlsRelayTest, NeverMeansNever) {
  Route(TlsPolicy::kNever, false);
  Begin();
  Queue({});
  ASSERT_TRUE(QueueEmpties());
  EXPECT_FALSE(host_.taken.at(0).tls);
}

TEST_F(TlsRelayTest, ABrokenHandshakeAndPlainWhereThatMayBe) {
  host_.break_handshakes = true;
  Route(TlsPolicy::kIfOffered, false);
  Begin();
  Queue({});
  ASSERT_TRUE(QueueEmpties());
  EXPECT_FALSE(host_.taken.at(0).tls);
  EXPECT_EQ(host_.connections, 2u);
}

TEST_F(TlsRelayTest, RequiredIsRequired) {
  host_.break_handshakes = true;
  Route(TlsPolicy::kRequired, false);
  Begin();
  Queue({});
  ASSERT_TRUE(Until([&] { return observer_.deferred() == 1; }));
  EXPECT_THAT(observer_.last_reply, HasSubstr("4.7.5"));
  EXPECT_TRUE(host_.taken.empty());
}

TEST_F(TlsRelayTest, VerifiedByTheAuthoritiesThatWereNamed) {
  Route(TlsPolicy::kIfOffered, true);
  options_.authorities = authorities_;
  Begin();
  Queue({});
  ASSERT_TRUE(QueueEmpties());
  EXPECT_TRUE(host_.taken.at(0).tls);
}

TEST_F(TlsRelayTest, ACertificateOfSomebodyElse) {
  Route(TlsPolicy::kIfOffered, true);
  Begin();
  Queue({});
  ASSERT_TRUE(Until([&] { return observer_.deferred() == 1; }));
  EXPECT_TRUE(host_.taken.empty());
}

TEST_F(TlsRelayTest, ASmarthostWithALogin) {
  host_.options.mechanisms.Add(sasl::Mechanism::kPlain);
  options_.routes.push_back({"*",
                             {.host = "127.0.0.1",
                              .port = host_.port(),
                              .tls = TlsPolicy::kRequired,
                              .credentials = {.user = "u", .password = "p", .token = {}}}});
  Begin();
  Queue({.to = {"1@one.test", "2@two.test"}});
  ASSERT_TRUE(QueueEmpties());
  ASSERT_EQ(host_.taken.size(), 1u);  // one transaction: the route is the destination
  EXPECT_EQ(host_.taken[0].user, "u");
  EXPECT_EQ(host_.taken[0].to.size(), 2u);
}

TEST_F(TlsRelayTest, ALoginThatFailsBouncesNothing) {
  host_.options.mechanisms.Add(sasl::Mechanism::kPlain);
  options_.routes.push_back({"*",
                             {.host = "127.0.0.1",
                              .port = host_.port(),
                              .tls = TlsPolicy::kRequired,
                              .credentials = {.user = "u", .password = "wrong", .token = {}}}});
  Begin();
  Queue({});
  ASSERT_TRUE(Until([&] { return observer_.deferred() == 1; }));
  EXPECT_THAT(observer_.last_reply, HasSubstr("535"));
}

struct OneTap final : TapSource {
  struct Numbered final : Tap {
    explicit Numbered(std::string& t) : told(t) {}
    std::uint64_t conversation() const override { return 7; }
    void OnConnect(const Endpoint&, const Endpoint&, Timestamp) override { told += "connect "; }
    void OnOctets(Direction, Octets octets, Timestamp) override { told += octets; }
    void OnTlsStart(Timestamp) override {}
    void OnRecords(Direction, Octets, Timestamp) override {}
    void OnTlsSecrets(Octets) override {}
    void OnTlsEstablished(Timestamp) override {}
    void OnClose(Closing, Timestamp) override { told += "close"; }
    std::string& told;
  };
  std::unique_ptr<Tap> NewTap() override { return std::make_unique<Numbered>(told); }
  std::string told;
};

TEST_F(RelayTest, EachConnectionIsAConversation) {
  OneTap taps;
  taps_ = &taps;
  Host host(net_);
  RouteTo("far.test", host.port());
  Begin();
  const auto accepted = Queue({});
  ASSERT_TRUE(QueueEmpties());
  ASSERT_TRUE(Until([&] { return taps.told.ends_with("close"); }));
  EXPECT_THAT(taps.told, HasSubstr("QUIT\r\n"));
  EXPECT_EQ(Journey(accepted.message).at(1).conversation, 7u);
  EXPECT_EQ(Journey(accepted.message).at(2).conversation, 7u);
}

}  // namespace
}  // namespace glasspost::relay
