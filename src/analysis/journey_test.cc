#include "analysis/journey.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "wire/dns/message.h"

namespace glasspost::analysis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr Timestamp kSecond = 1'000'000'000;
constexpr Timestamp kStart = 1'700'000'000 * kSecond;
using Details = std::vector<std::pair<std::string, std::string>>;

JourneyRecord Event(std::string host, std::string id, JourneyKind kind, double at, Details details = {}) {
  JourneyRecord r;
  r.host = std::move(host);
  r.queue_id = std::move(id);
  r.kind = kind;
  r.time = kStart + static_cast<Timestamp>(at * 1e9);
  if (kind == JourneyKind::kAccepted) {
    r.sender = "ada@a.test";
    r.message_id = "<1@a.test>";
    r.digest = "aa11";
  } else {
    r.recipient = "bob@b.test";
  }
  for (const auto& [name, value] : details) AppendDetail(r.detail, name, value);
  return r;
}

std::string MxAnswer() {
  dns::Message m;
  m.flags = dns::kFlagQr;
  m.AddQuestion("b.test", dns::kTypeMx);
  std::string data;
  EXPECT_TRUE(dns::ParseData(dns::kTypeMx, "10 mx.b.test.", data));
  m.AddRecord(dns::Section::kAnswer, "b.test", dns::kTypeMx, dns::kClassIn, 300, data);
  std::string out;
  EXPECT_TRUE(dns::Encode(m, out));
  return out;
}

// From a.test to b.test, whose clock is ahead by `skew` seconds.
std::vector<JourneyRecord> TwoHosts(double skew) {
  return {
      Event("mx.b.test", "BBB", JourneyKind::kAccepted, 1.2 + skew, {{"peer", "192.0.2.1:4711"}, {"with", "ESMTPS"}}),
      Event("mx.b.test", "BBB", JourneyKind::kMailbox, 1.2 + skew, {{"account", "bob@b.test"}}),
      Event("mx.b.test", "BBB", JourneyKind::kFetched, 5 + skew, {{"account", "bob@b.test"}, {"uid", "1"}}),
      Event("mx.a.test", "AAA", JourneyKind::kAccepted, 0, {{"peer", "127.0.0.1:5"}, {"user", "ada@a.test"}, {"octets", "1234"}}),
      Event("mx.a.test", "AAA", JourneyKind::kQueued, 0, {{"destination", "b.test"}}),
      Event("mx.a.test", "AAA", JourneyKind::kRouted, 0.5,
            {{"question", "b.test. MX"}, {"answer", MxAnswer()}, {"security", "insecure"}, {"hosts", "mx.b.test"}}),
      Event("mx.a.test", "AAA", JourneyKind::kAttempt, 1, {{"host", "mx.b.test"}, {"address", "192.0.2.2:25"}}),
      Event("mx.a.test", "AAA", JourneyKind::kRelayed, 1.4,
            {{"host", "mx.b.test"}, {"reply", "250 2.0.0 Ok: queued as BBB"}, {"next_id", "BBB"}}),
  };
}

std::vector<std::string> Story(const Journey& journey) {
  std::vector<std::string> out;
  for (const JourneyStep& step : journey.steps)
    out.push_back(step.record.host.substr(3, 1) + " " + std::string(Name(step.record.kind)));
  return out;
}

TEST(Journey, HostsAreJoinedByTheDigest) {
  const auto journeys = JoinJourneys(TwoHosts(0));
  ASSERT_EQ(journeys.size(), 1u);
  EXPECT_THAT(Story(journeys[0]), ElementsAre("a accepted", "a queued", "a routed", "a attempt", "b accepted", "b mailbox",
                                              "a relayed", "b fetched"));
  EXPECT_EQ(journeys[0].legs[1].joint, Joint::kDigest);
  EXPECT_FALSE(journeys[0].probable());
  EXPECT_EQ(journeys[0].hosts(), 2u);
}

TEST(Journey, AClockThatGoesWrongDoesNotTurnTheOrder) {
  for (const double skew : {-3600.0, -2.0, 2.0, 3599.0}) {
    const auto journeys = JoinJourneys(TwoHosts(skew));
    ASSERT_EQ(journeys.size(), 1u);
    EXPECT_THAT(Story(journeys[0]), ElementsAre("a accepted", "a queued", "a routed", "a attempt", "b accepted", "b mailbox",
                                                "a relayed", "b fetched"))
        << skew;
    EXPECT_EQ(journeys[0].legs[1].ahead > 0, skew > 0);
    EXPECT_THAT(JourneyText(journeys[0], Language::kEnglish, {}),
                HasSubstr(skew > 0 ? " ahead; its times" : " behind; its times"));
  }
}

TEST(Journey, RecipientsOfOneCopyAreNamed) {
  auto records = TwoHosts(0);
  records.push_back(
      Event("mx.b.test", "BBB", JourneyKind::kMailbox, 1.2, {{"account", "bob@b.test"}, {"same_copy", "bob@b.test"}}));
  records.back().recipient = "sales@b.test";
  const auto journeys = JoinJourneys(records);
  ASSERT_EQ(journeys.size(), 1u);
  EXPECT_THAT(JourneyText(journeys[0], Language::kEnglish, {}),
              HasSubstr("laid into the mailbox of bob@b.test, for <sales@b.test>: the same copy as for bob@b.test\n"));
  EXPECT_THAT(JourneyText(journeys[0], Language::kChinese, {}), HasSubstr("收件人 <sales@b.test>；与 bob@b.test 为同一份\n"));
  EXPECT_THAT(JourneyJson(journeys[0]), HasSubstr("\"same_copy\":\"bob@b.test\""));
}

TEST(Journey, JoinedByTheQueueIdOfThe250) {
  auto records = TwoHosts(0);
  records[0].digest = "bb22";  // a list has written into it
  records[0].message_id = "<2@b.test>";
  const auto journeys = JoinJourneys(records);
  ASSERT_EQ(journeys.size(), 1u);
  EXPECT_EQ(journeys[0].legs[1].joint, Joint::kQueueId);
  EXPECT_FALSE(journeys[0].probable());
}

TEST(Journey, TheMessageIdAloneIsProbable) {
  auto records = TwoHosts(0);
  records[0].digest = "bb22";
  records.pop_back();
  const auto journeys = JoinJourneys(records);
  ASSERT_EQ(journeys.size(), 1u);
  EXPECT_TRUE(journeys[0].probable());
  EXPECT_THAT(JourneyText(journeys[0], Language::kEnglish, {}), HasSubstr("BBB on mx.b.test is joined by its Message-ID alone"));
}

TEST(Journey, WhatHasNothingInCommonStaysApart) {
  auto records = TwoHosts(0);
  records[0].digest = "bb22";
  records[0].message_id.clear();
  records.back() = Event("mx.a.test", "AAA", JourneyKind::kRelayed, 1.4, {{"host", "mx.b.test"}});
  const auto journeys = JoinJourneys(records);
  ASSERT_EQ(journeys.size(), 2u);
  EXPECT_EQ(journeys[0].legs[0].host, "mx.a.test");
  // A queue id of another day is another message's.
  records.back() = Event("mx.a.test", "AAA", JourneyKind::kRelayed, 90'000, {{"next_id", "BBB"}});
  EXPECT_EQ(JoinJourneys(records).size(), 2u);
}

TEST(Journey, TwiceGivenCountsOnce) {
  auto records = TwoHosts(0);
  const auto again = TwoHosts(0);
  records.insert(records.end(), again.begin(), again.end());
  const auto journeys = JoinJourneys(records);
  ASSERT_EQ(journeys.size(), 1u);
  EXPECT_EQ(journeys[0].steps.size(), 8u);
  EXPECT_TRUE(JoinJourneys({}).empty());
}

TEST(Journey, ToldInBothLanguages) {
  const auto journeys = JoinJourneys(TwoHosts(0));
  const std::string english = JourneyText(journeys.at(0), Language::kEnglish, {});
  EXPECT_THAT(english, HasSubstr("Journey of <1@a.test>: 2 hosts, 5.0 s\n  2023-11-14 (UTC)\n"
                                 "  22:13:20.000000  mx.a.test  accepted from <ada@a.test>, sent by 127.0.0.1:5, logged in as "
                                 "ada@a.test, 1234 octets, as AAA\n"));
  EXPECT_THAT(english, HasSubstr("asked b.test. MX (DNSSEC: insecure)\n"));
  EXPECT_THAT(english, HasSubstr("b.test. 300 IN MX 10 mx.b.test.\n"));
  EXPECT_THAT(english, HasSubstr("<bob@b.test>: handed over to mx.b.test, which has it as BBB\n"));
  EXPECT_THAT(english, HasSubstr("S: 250 2.0.0 Ok: queued as BBB\n"));
  EXPECT_THAT(english, HasSubstr("fetched by bob@b.test (message 1 of the mailbox)"));
  const std::string chinese = JourneyText(journeys[0], Language::kChinese, {});
  EXPECT_THAT(chinese, HasSubstr("邮件 <1@a.test> 的旅程：2 台主机"));
  EXPECT_THAT(chinese, HasSubstr("已被 bob@b.test 取走（信箱中的 1 号邮件）"));
}

TEST(Journey, EveryKindHasWords) {
  for (int kind = 1; JourneyKindOf(kind); ++kind) {
    std::vector<JourneyRecord> one = {Event("mx.a.test", "AAA", *JourneyKindOf(kind), 0)};
    const auto journeys = JoinJourneys(std::move(one));
    for (const Language language : {Language::kEnglish, Language::kChinese}) {
      const std::string text = JourneyText(journeys.at(0), language, {});
      EXPECT_EQ(text.find_first_of("[]{}"), std::string::npos) << text;
    }
  }
}

TEST(Journey, WhatPeersSentIsEscaped) {
  auto record = Event("mx.a.test", "AAA", JourneyKind::kDeferred, 0,
                      {{"host", "\x1b[2J"}, {"reply", "451 a\n451 \x1b[31mb"}, {"due", "1700000300000000000"}});
  record.detail += "99:damaged";
  const auto journeys = JoinJourneys({record});
  const std::string text = JourneyText(journeys.at(0), Language::kEnglish, {});
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_THAT(text, HasSubstr("S: 451 a\n"));
  EXPECT_THAT(text, HasSubstr("next attempt: 2023-11-14T22:18:20Z"));
}

TEST(Journey, AsJson) {
  const auto journeys = JoinJourneys(TwoHosts(0));
  const std::string text = JourneyJson(journeys.at(0));
  EXPECT_EQ(text.find('\n'), std::string::npos);
  EXPECT_THAT(text, HasSubstr(R"("legs":[{"host":"mx.a.test","queue_id":"AAA","joined_by":"first"})"));
  EXPECT_THAT(text, HasSubstr(R"("event":"accepted","queue_id":"AAA","sender":"ada@a.test","peer":"127.0.0.1:5")"));
  EXPECT_THAT(text, HasSubstr(R"("octets":1234)"));
  EXPECT_THAT(
      text,
      HasSubstr(R"("host":"mx.a.test","event":"relayed","queue_id":"AAA","recipient":"bob@b.test","next_host":"mx.b.test")"));
  EXPECT_THAT(
      text,
      HasSubstr(
          R"("lookups":[{"question":"b.test. MX","dnssec":"insecure","rcode":"NOERROR","records":["b.test. 300 IN MX 10 mx.b.test."])"));
}

}  // namespace
}  // namespace glasspost::analysis
