#include "wire/dns/observer.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "wire/dns/recognise.h"

namespace glasspost::dns {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// Writes down what it is told, a line each.
class Recorder final : public ObserverSink {
 public:
  void OnExchange(const Exchange& e) override {
    std::string line = fmt::format("{} {}", e.number, Name(e.phase));
    if (e.has_request) {
      line +=
          fmt::format(" > {} {}{}{}", e.request.verb, e.request.argument, e.request.cut ? " cut" : "", Frames(e.request.span));
      EXPECT_NE(e.query, nullptr);
      EXPECT_FALSE(e.query->response());
    }
    if (e.has_reply) {
      line += fmt::format(" < {}{}{}", e.reply.status, e.reply.cut ? " cut" : "", Frames(e.reply.span));
      if (!e.reply.text.empty()) line += " | " + e.reply.text;
      EXPECT_NE(e.response, nullptr);
      EXPECT_TRUE(e.response->response());
    }
    EXPECT_EQ(e.has_request, e.query != nullptr);
    EXPECT_EQ(e.has_reply, e.response != nullptr);
    EXPECT_EQ(e.number, exchanges + 1) << "in the order of their numbers";
    exchanges = e.number;
    reply_size = e.reply.text.size();
    lines.push_back(line);
  }
  void OnMessageStart(Direction, std::uint64_t, const Envelope&) override { ADD_FAILURE(); }
  void OnMessageOctets(Direction, Octets) override { ADD_FAILURE(); }
  void OnMessageGap(Direction, std::uint64_t) override { ADD_FAILURE(); }
  void OnMessageEnd(Direction, const MessageEnd&) override { ADD_FAILURE(); }
  void OnFinding(const Finding& f) override {
    lines.push_back(fmt::format("{} {} frame {}: {}", Info(f.id).name, f.exchange, f.origin.frame, f.detail));
  }
  void OnTlsStart(const Origin&) override { ADD_FAILURE(); }
  void OnProtocol(Protocol) override { ADD_FAILURE(); }

  std::vector<std::string> lines;
  std::uint64_t exchanges = 0;
  std::size_t reply_size = 0;

 private:
  static std::string Frames(const Span& span) {
    std::string out = " [";
    span.frames.ForEach([&](std::uint64_t f) { out += (out.size() > 2 ? "," : "") + std::to_string(f); });
    return out + fmt::format("@{}+{}]", span.offset, span.length);
  }
};

std::string Query(std::uint16_t id, Octets name, std::uint16_t type = kTypeA, std::uint16_t klass = kClassIn) {
  Message m;
  m.id = id;
  m.flags = kFlagRd;
  EXPECT_TRUE(m.AddQuestion(name, type, klass));
  std::string wire;
  EXPECT_TRUE(Encode(m, wire));
  return wire;
}

std::string Answer(std::uint16_t id, Octets name, Octets data, std::uint16_t type = kTypeA, std::uint16_t rcode = 0) {
  Message m;
  m.id = id;
  m.flags = kFlagQr | kFlagRd | kFlagRa;
  EXPECT_TRUE(m.AddQuestion(name, type));
  std::string octets;
  if (!data.empty()) {
    EXPECT_TRUE(ParseData(type, data, octets));
    EXPECT_TRUE(m.AddRecord(Section::kAnswer, name, type, kClassIn, 60, octets));
  }
  m.SetRcode(rcode);
  std::string wire;
  EXPECT_TRUE(Encode(m, wire));
  return wire;
}

std::string Framed2(const std::string& message) {
  return std::string{static_cast<char>(message.size() >> 8), static_cast<char>(message.size())} + message;
}

// Datagrams get frames 1, 2, 3 … and come a second after one another.
class Udp {
 public:
  explicit Udp(const ObserverLimits& limits = {}) : observer_(sink, {}, limits, false) {}
  void Ask(Octets o) { observer_.OnOctets(Direction::kToServer, o, Next()); }
  void Reply(Octets o) { observer_.OnOctets(Direction::kToClient, o, Next()); }
  void ReplyCut(Octets o, std::size_t length) { observer_.OnDatagram(Direction::kToClient, o, length, Next()); }
  void Wait(std::int64_t ns) { time_ += ns; }
  const std::vector<std::string>& End() {
    observer_.OnEnd({}, false);
    return sink.lines;
  }
  Recorder sink;

 private:
  Origin Next() {
    time_ += kSecond;
    return {++frame_, time_};
  }
  DnsObserver observer_;
  std::uint64_t frame_ = 0;
  Timestamp time_ = 0;
};

using Lines = std::vector<std::string>;

TEST(DnsObserver, QueryAndAnswerAreOneExchange) {
  Udp udp;
  udp.Ask(Query(1, "example.test", kTypeMx));
  udp.Reply(Answer(1, "EXAMPLE.test", "10 mail.example.test.", kTypeMx));
  EXPECT_EQ(udp.sink.lines.size(), 1u) << "told as soon as it is whole";
  udp.Ask(Query(2, ".", 2));
  udp.Reply(Answer(2, ".", "", 2, kRcodeNxDomain));
  udp.Ask(Query(3, "version.bind", kTypeTxt, kClassCh));
  EXPECT_EQ(udp.End(),
            (Lines{"1 data > QUERY example.test MX [1@0+30] < NOERROR [2@0+59] | EXAMPLE.test. 60 IN MX 10 mail.example.test.",
                   "2 data > QUERY . NS [3@30+17] < NXDOMAIN [4@59+17]", "3 data > QUERY version.bind TXT CH [5@47+30]"}));
}

TEST(DnsObserver, AnswersInAnotherOrderAreToldInThatOfTheQueries) {
  Udp udp;
  udp.Ask(Query(1, "a", kTypeA));
  udp.Ask(Query(2, "a", kTypeAaaa));
  udp.Ask(Query(3, "b", kTypeA));
  udp.Reply(Answer(2, "a", "::1", kTypeAaaa));
  EXPECT_TRUE(udp.sink.lines.empty());
  udp.Reply(Answer(1, "a", "192.0.2.1"));
  EXPECT_EQ(udp.End(),
            (Lines{"1 data > QUERY a A [1@0+19] < NOERROR [5@47+35] | a. 60 IN A 192.0.2.1",
                   "2 data > QUERY a AAAA [2@19+19] < NOERROR [4@0+47] | a. 60 IN AAAA ::1", "3 data > QUERY b A [3@38+19]"}));
}

TEST(DnsObserver, ARepeatedQueryJoinsAndASecondAnswerIsUnsolicited) {
  Udp udp;
  udp.Ask(Query(1, "a"));
  udp.Ask(Query(1, "a"));
  udp.Reply(Answer(1, "a", "192.0.2.1"));
  udp.Reply(Answer(1, "a", "192.0.2.1"));
  udp.Ask(Query(1, "a"));
  EXPECT_EQ(udp.End(), (Lines{"1 data > QUERY a A [1,2@0+19] < NOERROR [3@0+35] | a. 60 IN A 192.0.2.1",
                              "2 data < NOERROR [4@35+35] | a. 60 IN A 192.0.2.1", "3 data > QUERY a A [5@38+19]"}));
}

TEST(DnsObserver, AnAnswerMustMatch) {
  Udp udp;
  udp.Ask(Query(1, "a"));
  udp.Reply(Answer(2, "a", "192.0.2.1"));                    // another identification
  udp.Reply(Answer(1, "b", "192.0.2.1"));                    // another name
  udp.Reply(Answer(1, "a", "::1", kTypeAaaa));               // another type
  udp.Ask(Answer(1, "a", "192.0.2.1"));                      // from the side that asked
  udp.Reply(std::string("\0\1\x80\1\0\0\0\0\0\0\0\0", 12));  // FORMERR without its question: by the identification
  const Lines lines = udp.End();
  ASSERT_EQ(lines.size(), 5u);
  EXPECT_EQ(lines[0], "1 data > QUERY a A [1@0+19] < FORMERR [6@117+12]");
  for (int i = 1; i < 5; ++i)
    EXPECT_TRUE(lines[static_cast<std::size_t>(i)].find(" data < NOERROR") != std::string::npos)
        << lines[static_cast<std::size_t>(i)];
}

TEST(DnsObserver, WhoAsksIsToldByTheMessage) {
  Udp udp;
  udp.Reply(Query(1, "a"));
  udp.Ask(Answer(1, "a", "192.0.2.1"));
  EXPECT_EQ(udp.End(), (Lines{"1 data > QUERY a A [1@0+19] < NOERROR [2@0+35] | a. 60 IN A 192.0.2.1"}));
}

TEST(DnsObserver, OtherOperations) {
  Udp udp;
  Message m;
  m.SetOpcode(kOpcodeNotify);
  ASSERT_TRUE(m.AddQuestion("example.test", kTypeSoa));
  std::string wire;
  ASSERT_TRUE(Encode(m, wire));
  udp.Ask(wire);
  wire[2] = static_cast<char>(wire[2] | 0x80);
  udp.Reply(wire);
  wire[2] = 0x48;
  udp.Ask(wire);
  EXPECT_EQ(udp.End(), (Lines{"1 data > NOTIFY example.test SOA [1@0+30] < NOERROR [2@0+30]",
                              "2 data > OPCODE9 example.test SOA [3@30+30]"}));
}

TEST(DnsObserver, SlowReplies) {
  Udp udp;
  udp.Ask(Query(1, "a"));
  udp.Wait(4 * kSecond);
  udp.Reply(Answer(1, "a", ""));  // five seconds
  udp.Ask(Query(2, "a"));
  udp.Wait(4 * kSecond + 1);
  udp.Reply(Answer(2, "a", ""));
  EXPECT_EQ(udp.End(), (Lines{"1 data > QUERY a A [1@0+19] < NOERROR [2@0+19]", "slow-reply 2 frame 4: 5.0 s",
                              "2 data > QUERY a A [3@19+19] < NOERROR [4@19+19]"}));
}

TEST(DnsObserver, MalformedMessages) {
  Udp udp;
  udp.Ask(Query(1, "a").substr(0, 16));
  udp.Reply(Answer(1, "a", "192.0.2.1").substr(0, 30));
  udp.Reply("short");
  EXPECT_EQ(
      udp.End(),
      (Lines{"malformed-dns 1 frame 1: question 1: the message ends before the question's type and class, at octet 15",
             "malformed-dns 1 frame 2: answer 1: the message ends before the record's type, class, TTL and length, at octet 21",
             "1 data > QUERY  [1@0+16] < NOERROR [2@0+30]",
             "malformed-dns 0 frame 3: the message ends within the header, at octet 5"}));
}

TEST(DnsObserver, ADatagramThatWasNotCapturedWhole) {
  Udp udp;
  udp.Ask(Query(1, "a"));
  const std::string answer = Answer(1, "a", "192.0.2.1");
  udp.ReplyCut(Octets(answer).substr(0, 30), answer.size());
  EXPECT_EQ(udp.End(), (Lines{"1 data > QUERY a A [1@0+19] < NOERROR cut [2@0+35]"}));
}

TEST(DnsObserver, WaitingQueriesAreBounded) {
  for (const std::size_t limit : {1u, 2u, 3u, 256u}) {
    SCOPED_TRACE(limit);
    ObserverLimits limits;
    limits.waiting = limit;
    Udp udp(limits);
    for (std::size_t i = 0; i < limit; ++i) udp.Ask(Query(static_cast<std::uint16_t>(i), "a"));
    EXPECT_EQ(udp.sink.exchanges, 0u) << "at the limit";
    udp.Ask(Query(9999, "a"));
    EXPECT_EQ(udp.sink.exchanges, 1u) << "one past it the oldest is told";
    udp.Reply(Answer(0, "a", ""));
    const Lines& lines = udp.End();
    EXPECT_EQ(lines.size(), limit + 2);
    EXPECT_TRUE(lines.back().find(" data < NOERROR") != std::string::npos) << lines.back();
  }
  ObserverLimits limits;
  limits.waiting_octets = 2 * 19;
  Udp udp(limits);
  udp.Ask(Query(1, "a"));
  udp.Ask(Query(2, "a"));
  EXPECT_EQ(udp.sink.exchanges, 0u);
  udp.Ask(Query(3, "a"));
  EXPECT_EQ(udp.sink.exchanges, 1u);
  udp.Reply(Answer(3, "a", "192.0.2.1"));  // it must wait for the second, for which there is no room
  EXPECT_EQ(udp.sink.exchanges, 3u);
}

TEST(DnsObserver, TextOfAnAnswerIsBounded) {
  Message m;
  m.flags = kFlagQr;
  const std::string name(60, 'n');
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(m.AddRecord(Section::kAnswer, name, kTypeA, kClassIn, 1, "\1\2\3\4"));
  std::string wire;
  ASSERT_TRUE(Encode(m, wire));
  const std::size_t line = name.size() + 1 + std::string_view(" 1 IN A 1.2.3.4").size();
  for (const std::size_t n : {5u, 19u, 20u}) {
    ObserverLimits limits;
    limits.text = n * (line + 1) - 2;
    Udp udp(limits);
    udp.Reply(wire);
    EXPECT_EQ(udp.sink.reply_size, n * (line + 1) - 1);
    EXPECT_EQ(udp.End()[0].find(" cut ") != std::string::npos, n < 20);
  }
}

TEST(DnsObserver, QuestionsNamedAreBounded) {
  Message m;
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(m.AddQuestion("a", kTypeA));
  std::string wire;
  ASSERT_TRUE(Encode(m, wire));
  Udp udp;
  udp.Ask(wire);
  EXPECT_EQ(udp.End(), (Lines{"1 data > QUERY a A, a A, a A, a A, a A, a A, a A, a A cut [1@0+67]"}));
}

// Over TCP.

Lines Tcp(const std::string& asked, const std::string& answered, std::size_t piece) {
  Recorder sink;
  DnsObserver observer(sink, {}, {}, true);
  for (std::size_t at = 0; at < asked.size(); at += piece)
    observer.OnOctets(Direction::kToServer, Octets(asked).substr(at, piece), {1, 1});
  for (std::size_t at = 0; at < answered.size(); at += piece)
    observer.OnOctets(Direction::kToClient, Octets(answered).substr(at, piece), {2, 2});
  observer.OnFin(Direction::kToServer, {});
  observer.OnEnd({}, false);
  return sink.lines;
}

TEST(DnsObserverTcp, AnyPiecesGiveTheSame) {
  const std::string asked = Framed2(Query(1, "a")) + Framed2(Query(2, "example.test", kTypeMx)) + Framed2(Query(3, "c"));
  const std::string answered = Framed2(Answer(1, "a", "192.0.2.1")) + Framed2(Answer(2, "example.test", "0 .", kTypeMx));
  const Lines whole = Tcp(asked, answered, 10000);
  EXPECT_EQ(whole, (Lines{"1 data > QUERY a A [1@0+21] < NOERROR [2@0+37] | a. 60 IN A 192.0.2.1",
                          "2 data > QUERY example.test MX [1@21+32] < NOERROR [2@37+47] | example.test. 60 IN MX 0 .",
                          "3 data > QUERY c A [1@53+21]"}));
  for (std::size_t piece = 1; piece < asked.size(); ++piece) EXPECT_EQ(Tcp(asked, answered, piece), whole) << piece;
  for (std::size_t split = 1; split < answered.size(); ++split) {
    Recorder sink;
    DnsObserver observer(sink, {}, {}, true);
    observer.OnOctets(Direction::kToServer, asked, {1, 1});
    observer.OnOctets(Direction::kToClient, Octets(answered).substr(0, split), {2, 2});
    observer.OnOctets(Direction::kToClient, Octets(answered).substr(split), {2, 2});
    observer.OnEnd({}, false);
    EXPECT_EQ(sink.lines, whole) << split;
  }
}

TEST(DnsObserverTcp, GapWithinAMessage) {
  Recorder sink;
  DnsObserver observer(sink, {}, {}, true);
  const std::string first = Framed2(Answer(1, "a", "192.0.2.1")), second = Framed2(Answer(2, "b", ""));
  for (const std::size_t missing : {1u, 4u, 17u}) {
    observer.OnOctets(Direction::kToClient, Octets(first).substr(0, 20), {1, 1});
    observer.OnGap(Direction::kToClient, missing, {2, 2});
    observer.OnOctets(Direction::kToClient, Octets(first).substr(20 + missing), {3, 3});
    observer.OnOctets(Direction::kToClient, second, {4, 4});
  }
  EXPECT_EQ(sink.lines, (Lines{"1 data < NOERROR cut [1@0+37]", "2 data < NOERROR [4@37+21]", "3 data < NOERROR cut [1@58+37]",
                               "4 data < NOERROR [4@95+21]", "5 data < NOERROR cut [1@116+37]", "6 data < NOERROR [4@153+21]"}));
}

TEST(DnsObserverTcp, BehindAGapMessagesLieWhereTheyLieHoweverTheyWereCut) {
  const std::string first = Framed2(Answer(1, "a", "192.0.2.1")), rest = first.substr(25) + Framed2(Answer(2, "b", ""));
  for (std::size_t split = 0; split <= rest.size(); ++split) {
    Recorder sink;
    DnsObserver observer(sink, {}, {}, true);
    observer.OnOctets(Direction::kToClient, Octets(first).substr(0, 20), {1, 1});
    observer.OnGap(Direction::kToClient, 5, {2, 2});
    observer.OnOctets(Direction::kToClient, Octets(rest).substr(0, split), {3, 3});
    observer.OnOctets(Direction::kToClient, Octets(rest).substr(split), {3, 3});
    EXPECT_EQ(sink.lines, (Lines{"1 data < NOERROR cut [1@0+37]", "2 data < NOERROR [3@37+21]"})) << split;
  }
}

TEST(DnsObserverTcp, GapOverMessagesFindsTheNextSegmentThatBeginsOne) {
  Recorder sink;
  DnsObserver observer(sink, {}, {}, true);
  const std::string answer = Framed2(Answer(1, "a", "192.0.2.1"));
  observer.OnOctets(Direction::kToClient, answer, {1, 1});
  observer.OnGap(Direction::kToClient, 50, {2, 2});
  observer.OnOctets(Direction::kToClient, Octets(answer).substr(10), {3, 3});
  observer.OnOctets(Direction::kToClient, answer, {4, 4});
  observer.OnEnd({}, true);
  EXPECT_EQ(sink.lines,
            (Lines{"1 data < NOERROR [1@0+37] | a. 60 IN A 192.0.2.1", "2 data < NOERROR [4@114+37] | a. 60 IN A 192.0.2.1"}));
}

TEST(DnsObserverTcp, MidStreamAndCutShort) {
  Recorder sink;
  DnsObserver observer(sink, {}, {}, true);
  observer.OnMidStream();
  const std::string query = Framed2(Query(1, "a")), answer = Framed2(Answer(1, "a", "192.0.2.1"));
  observer.OnOctets(Direction::kToClient, "rest of something else", {1, 1});
  observer.OnOctets(Direction::kToServer, query, {2, 2});
  observer.OnOctets(Direction::kToClient, Octets(answer).substr(0, 30), {3, 3});
  observer.OnEnd({}, true);
  EXPECT_EQ(sink.lines, (Lines{"1 data > QUERY a A [2@0+21] < NOERROR cut [3@22+30]"}));
}

TEST(DnsObserverTcp, OneWorkspaceServesMany) {
  Recorder first, second;
  Workspace work;
  DnsObserver a(first, {}, {}, false, &work), b(second, {}, {}, false, &work);
  a.OnOctets(Direction::kToServer, Query(1, "a"), {1, 1});
  b.OnOctets(Direction::kToServer, Query(1, "b"), {2, 1});
  a.OnOctets(Direction::kToClient, Answer(1, "a", ""), {3, 1});
  b.OnOctets(Direction::kToClient, Answer(1, "b", ""), {4, 1});
  EXPECT_EQ(first.lines, (Lines{"1 data > QUERY a A [1@0+19] < NOERROR [3@0+19]"}));
  EXPECT_EQ(second.lines, (Lines{"1 data > QUERY b A [2@0+19] < NOERROR [4@0+19]"}));
}

TEST(DnsRecognise, Datagrams) {
  const std::string query = Query(1, "example.test", kTypeMx), answer = Answer(1, "example.test", "10 a.", kTypeMx);
  EXPECT_TRUE(LooksLikeDns("x", 40000, 53)) << "whatever comes on port 53";
  EXPECT_FALSE(LooksLikeDns("", 40000, 53));
  for (const auto* good : {&query, &answer}) {
    EXPECT_TRUE(LooksLikeDns(*good, 40000, 5300));
    for (const std::uint16_t port : {5353, 5355, 137}) EXPECT_FALSE(LooksLikeDns(*good, port, port));
    for (std::size_t n = 0; n < good->size(); ++n) EXPECT_FALSE(LooksLikeDns(Octets(*good).substr(0, n), 40000, 5300)) << n;
    EXPECT_FALSE(LooksLikeDns(*good + "x", 40000, 5300));
  }
  EXPECT_FALSE(LooksLikeDns(Query(1, "a", 4711), 40000, 5300));
  EXPECT_FALSE(LooksLikeDns(Query(1, "a", kTypeA, 77), 40000, 5300));
  EXPECT_FALSE(LooksLikeDns(std::string(12, '\0'), 40000, 5300));
  EXPECT_FALSE(LooksLikeDns(std::string(100, '\0'), 40000, 5300));
  EXPECT_TRUE(SentByServer(answer));
  EXPECT_FALSE(SentByServer(query));
  EXPECT_FALSE(SentByServer("a\xff"));
}

TEST(DnsRecognise, Streams) {
  const std::string query = Framed2(Query(1, "example.test", kTypeMx));
  for (std::size_t n = 0; n < query.size(); ++n) {
    EXPECT_NE(LooksLikeDnsStream(Octets(query).substr(0, n), 40000, 53), Likeness::kNo) << n;
    EXPECT_NE(LooksLikeDnsStream(Octets(query).substr(0, n), 40000, 5300), Likeness::kNo) << n;
  }
  EXPECT_EQ(LooksLikeDnsStream(query, 40000, 5300), Likeness::kYes);
  EXPECT_EQ(LooksLikeDnsStream(Octets(query).substr(0, 14), 40000, 53), Likeness::kYes);
  EXPECT_EQ(LooksLikeDnsStream(query + query, 40000, 5300), Likeness::kYes);
  for (const auto* other :
       {"220 mail.example.test ESMTP Postfix\r\n", "+OK ready\r\n", "EHLO client.example.test\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 random of a client hello"}) {
    EXPECT_NE(LooksLikeDnsStream(other, 40000, 5300), Likeness::kYes) << other;
    EXPECT_NE(LooksLikeDnsStream(other, 40000, 53), Likeness::kYes) << other;
  }
}

}  // namespace
}  // namespace glasspost::dns
