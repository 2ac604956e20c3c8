// What the conversation files (tests/conversations/pop3-*.txt) do not hold: limits at the limit and one past it, every two-way
// split, and losses at random.
#include "wire/pop3/observer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "support/recording_sink.h"

namespace glasspost::pop3 {
namespace {

using test::RecordingSink;

class Dialogue {
 public:
  explicit Dialogue(const Pop3Limits& limits = {}, const ObserverOptions& options = {}) : observer(sink, options, limits) {}
  void C(std::string_view octets) { observer.OnOctets(Direction::kToServer, octets, Next()); }
  void S(std::string_view octets) { observer.OnOctets(Direction::kToClient, octets, Next()); }
  void End() { observer.OnEnd(Next(), false); }
  Origin Next() { return {++frame, static_cast<Timestamp>(frame) * 1'000'000}; }
  bool Found(std::string_view finding) const {
    return std::any_of(sink.findings.begin(), sink.findings.end(),
                       [&](const std::string& f) { return f.find(finding) != std::string::npos; });
  }

  RecordingSink sink;
  Pop3Observer observer;
  std::uint64_t frame = 0;
};

TEST(Pop3Requests, BeforeTheirReplies) {
  using Texts = std::vector<std::string>;
  ObserverOptions options;
  options.requests = true;
  Dialogue d({}, options);
  d.S("+OK\r\n");
  d.C("USER ada\r\nPASS secret\r\n");
  EXPECT_EQ(d.sink.requests, (Texts{"USER ada", "PASS *** (6 octets)"}));
  d.S("+OK\r\n-ERR\r\n");
  d.C("AUTH PLAIN\r\n");
  d.S("+ \r\n");
  d.C("AGEAc2VjcmV0\r\n");
  EXPECT_EQ(d.sink.requests.back(), "* *** (12 octets)");
  d.S("+OK\r\n");
  d.End();
  EXPECT_EQ(d.sink.requests.size(), 4u);
  EXPECT_TRUE(d.sink.broken.empty());
}

TEST(Pop3Limits, FindingsOfAKind) {
  Dialogue d({.findings_of_a_kind = 2});
  d.S("+OK\r\n");
  for (int i = 0; i < 5; ++i) {
    d.C("XYZZY\r\n");
    d.S("-ERR\r\n");
  }
  d.End();
  EXPECT_EQ(std::count_if(d.sink.findings.begin(), d.sink.findings.end(),
                          [](const std::string& f) { return f.ends_with("unknown-command XYZZY"); }),
            2);
  EXPECT_EQ(d.sink.exchanges.size(), 6u);
}

TEST(Pop3Limits, LineOctets) {
  for (const std::size_t over : {0, 1}) {
    Dialogue d({.line_octets = 20});
    d.S("+OK\r\n");
    d.C("USER " + std::string(15 + over, 'u') + "\r\n");
    d.S("+OK\r\n");
    d.C("PASS " + std::string(15 + over, 'p') + "\r\n");
    d.S("+OK\r\n");
    ASSERT_EQ(d.sink.exchanges.size(), 3u);
    EXPECT_EQ(d.sink.exchanges[1], "2 auth USER " + std::string(15, 'u') + (over ? " (cut)" : "") + " | +OK");
    EXPECT_EQ(d.sink.exchanges[2],
              "3 auth PASS *** (" + std::to_string(15 + over) + " octets)" + (over ? " (cut)" : "") + " | +OK");
  }
}

TEST(Pop3Limits, CutSaslAnswersAreCountedWhole) {
  Dialogue d({.line_octets = 20});
  d.S("+OK\r\n");
  d.C("AUTH PLAIN " + std::string(40, 'A') + "\r\n");
  d.S("+\r\n");
  d.C(std::string(40, 'A') + "\r\n");
  d.S("-ERR\r\n");
  ASSERT_EQ(d.sink.exchanges.size(), 3u);
  EXPECT_EQ(d.sink.exchanges[1], "2 auth AUTH PLAIN *** (40 octets) (cut) | +");
  EXPECT_EQ(d.sink.exchanges[2], "3 auth * *** (40 octets) (cut) | -ERR");
}

TEST(Pop3Limits, TextOctets) {
  for (const bool over : {false, true}) {
    Dialogue d({.text_octets = 9});
    d.S("+OK\r\n");
    d.C("UIDL\r\n");
    d.S("+OK\r\n1 ab\r\n2 x" + std::string(over ? "y" : "") + "\r\n.\r\n");
    ASSERT_EQ(d.sink.exchanges.size(), 2u);
    EXPECT_EQ(d.sink.exchanges[1], over ? "2 retrieval UIDL | +OK \\n1 ab (cut)" : "2 retrieval UIDL | +OK \\n1 ab\\n2 x");
  }
}

TEST(Pop3Limits, StrayTextOctets) {
  for (const bool over : {false, true}) {
    Dialogue d({.stray_text_octets = 4});
    d.S("+OK\r\n");
    d.C("XYZ\r\n");
    d.S("+OK\r\nabc" + std::string(over ? "d" : "") + "\r\n.\r\n");
    ASSERT_EQ(d.sink.exchanges.size(), 2u);
    EXPECT_EQ(d.sink.exchanges[1], over ? "2 greeting XYZ | +OK (cut)" : "2 greeting XYZ | +OK \\nabc");
  }
}

TEST(Pop3Limits, Pending) {
  for (const std::size_t count : {3, 4}) {
    Dialogue d({.pending = 3});
    d.S("+OK\r\n");
    for (std::size_t i = 0; i < count; ++i) d.C("NOOP\r\n");
    EXPECT_EQ(d.Found("too-much"), count > 3);
    EXPECT_EQ(d.sink.exchanges.size(), count > 3 ? 4u : 1u);
    d.End();
    EXPECT_EQ(d.sink.exchanges.size(), count + 1);
  }
}

TEST(Pop3Limits, PendingOctets) {
  for (const bool over : {false, true}) {
    Dialogue d({.pending_octets = 20});
    d.S("+OK\r\n");
    d.C("NOOP 7890\r\n");
    d.C("NOOP 7890" + std::string(over ? "123" : "12") + "\r\n");  // 9 + 11 octets, or one more
    d.C("NOOP\r\n");
    EXPECT_EQ(d.Found("too-much"), over);
    EXPECT_EQ(d.sink.exchanges.size(), over ? 3u : 1u);
    d.End();
    EXPECT_EQ(d.sink.exchanges.size(), 4u);
  }
}

TEST(Pop3Limits, Findings) {
  for (const std::size_t over : {0, 1}) {
    Dialogue d;
    d.S("+OK " + std::string(506 + over, 'x') + "\r\n");
    d.C("USER " + std::string(248 + over, 'u') + "\r\n");
    d.S("+OK\r\n");
    d.C("RETR 1\r\n");
    d.S("+OK\r\n" + std::string(998 + over, 'y') + "\r\n.\r\n");
    EXPECT_EQ(d.Found("reply-too-long"), over == 1);
    EXPECT_EQ(d.Found("command-too-long"), over == 1);
    EXPECT_EQ(d.Found("3 line-too-long"), over == 1);
  }
}

TEST(Pop3Limits, SlowReply) {
  for (const std::int64_t over : {0, 1}) {
    RecordingSink sink;
    Pop3Observer observer(sink, {});
    observer.OnOctets(Direction::kToClient, "+OK\r\n", {1, 0});
    observer.OnOctets(Direction::kToServer, "NOOP\r\n", {2, 0});
    observer.OnOctets(Direction::kToClient, "+OK\r\n", {3, 5'000'000'000 + over});
    EXPECT_EQ(std::count(sink.findings.begin(), sink.findings.end(), "finding 2 slow-reply 5.0 s"), over);
  }
}

TEST(Pop3Observer, OnlyTheSlowReplyOfAGroupIsSlow) {
  RecordingSink sink;
  Pop3Observer observer(sink, {});
  observer.OnOctets(Direction::kToClient, "+OK\r\n", {1, 0});
  observer.OnOctets(Direction::kToServer, "NOOP\r\nNOOP\r\n", {2, 0});
  observer.OnOctets(Direction::kToClient, "+OK\r\n", {3, 8'000'000'000});
  observer.OnOctets(Direction::kToClient, "+OK\r\n", {4, 8'000'000'001});
  EXPECT_EQ(std::count(sink.findings.begin(), sink.findings.end(), "finding 2 slow-reply 8.0 s"), 1);
  EXPECT_EQ(std::count(sink.findings.begin(), sink.findings.end(), "finding 3 slow-reply 8.0 s"), 0);
}

constexpr std::string_view kServer =
    "+OK ready\r\n+OK\r\n+OK in\r\n+OK 2 30\r\n+OK\r\n1 8\r\n2 22\r\n.\r\n+OK 8 octets\r\nA: b\r\n..\r\n.\r\n"
    "+OK\r\nB: \n.\nc\r\n\r\n+OK\r\n.\r.\r\n.\r\n-ERR\r\n+OK bye\r\n";
constexpr std::string_view kClient = "USER a\r\nPASS b\r\nSTAT\r\nLIST\r\nRETR 1\r\nRETR 2\r\nDELE 9\r\nQUIT\r\n";

void Compare(const RecordingSink& a, const RecordingSink& b) {
  EXPECT_EQ(a.exchanges, b.exchanges);
  EXPECT_EQ(a.spans, b.spans);
  auto fa = a.findings, fb = b.findings;
  std::sort(fa.begin(), fa.end()), std::sort(fb.begin(), fb.end());
  EXPECT_EQ(fa, fb);
  ASSERT_EQ(a.messages.size(), b.messages.size());
  for (std::size_t i = 0; i < a.messages.size(); ++i) EXPECT_EQ(Text(a.messages[i]), Text(b.messages[i]));
}

TEST(Pop3Observer, AnyTwoPiecesTellTheSame) {
  Dialogue whole;
  whole.S(kServer.substr(0, 11));
  whole.C(kClient);
  whole.S(kServer.substr(11));
  whole.End();
  EXPECT_EQ(whole.sink.exchanges.size(), 9u);
  ASSERT_EQ(whole.sink.messages.size(), 2u);
  EXPECT_EQ(whole.sink.messages[0].octets, "A: b\r\n.\r\n");
  for (std::size_t at = 12; at < kServer.size(); ++at) {
    SCOPED_TRACE(at);
    Dialogue d;
    d.S(kServer.substr(0, 11));
    d.C(kClient);
    d.S(kServer.substr(11, at - 11));
    d.S(kServer.substr(at));
    d.End();
    Compare(whole.sink, d.sink);
  }
  for (std::size_t at = 1; at < kClient.size(); ++at) {
    SCOPED_TRACE(at);
    Dialogue d;
    d.S(kServer.substr(0, 11));
    d.C(kClient.substr(0, at));
    d.C(kClient.substr(at));
    d.S(kServer.substr(11));
    d.End();
    Compare(whole.sink, d.sink);
  }
}

TEST(Pop3Observer, CutAnywhereTellsNoMoreThanTheWhole) {
  Dialogue whole;
  whole.S(kServer.substr(0, 11));
  whole.C(kClient);
  whole.S(kServer.substr(11));
  whole.End();
  for (std::size_t at = 11; at < kServer.size(); ++at) {
    SCOPED_TRACE(at);
    Dialogue d;
    d.S(kServer.substr(0, 11));
    d.C(kClient);
    d.S(kServer.substr(11, at - 11));
    d.End();
    ASSERT_EQ(d.sink.exchanges.size(), 9u);
    EXPECT_TRUE(d.sink.broken.empty());
    for (std::size_t i = 0; i < d.sink.messages.size(); ++i) {
      EXPECT_TRUE(whole.sink.messages[i].octets.starts_with(d.sink.messages[i].octets));
      if (!d.sink.messages[i].end.truncated) {
        EXPECT_EQ(d.sink.messages[i].octets, whole.sink.messages[i].octets);
      }
    }
  }
}

// A dialogue in which each command waits for its reply, told with pieces of it missing.
struct Piece {
  Direction direction;
  std::string octets;
  bool lost = false;
};

class Lossy {
 public:
  explicit Lossy(std::uint32_t seed) : random_(seed) {}

  void Make() {
    Say(Direction::kToClient, "+OK ready\r\n");
    Ask("USER a", "+OK\r\n");
    Ask("PASS b", "+OK in\r\n");
    Ask("STAT", "+OK 3 300\r\n");
    Ask("LIST", "+OK\r\n1 100\r\n2 100\r\n3 100\r\n.\r\n");
    if (Chance(2)) Ask("TOP 1 0", "+OK\r\n" + Message(false) + ".\r\n");
    for (int i = 1; i <= 3; ++i) {
      Ask("RETR " + std::to_string(i), "+OK\r\n" + Message(true) + ".\r\n");
      if (Chance(2)) Ask("DELE " + std::to_string(i), "+OK\r\n");
    }
    Ask("QUIT", "+OK bye\r\n");
  }

  void Feed(Pop3Observer& observer) {
    std::uint64_t frame = 0;
    for (const Piece& p : pieces) {
      const Origin o{++frame, static_cast<Timestamp>(frame)};
      if (p.lost)
        observer.OnGap(p.direction, p.octets.size(), o);
      else
        observer.OnOctets(p.direction, p.octets, o);
    }
    observer.OnEnd({++frame, static_cast<Timestamp>(frame)}, false);
  }

  bool Chance(unsigned of) { return random_() % of == 0; }

  std::vector<Piece> pieces;
  std::vector<std::string> commands;  // captured ones, as verbs
  std::vector<std::string> intact;    // messages of which, command and end included, nothing was lost

 private:
  std::string Message(bool retrieved) {
    std::string m = "Subject: x\r\n\r\n";
    for (unsigned n = random_() % 20; n > 0; --n)
      m += Chance(4) ? "+OK like a reply\r\n" : "a line of " + std::to_string(n) + "\r\n";
    if (retrieved) message_ = m;
    return m;
  }
  // Returns whether all of it was captured.
  bool Say(Direction d, std::string_view octets) {
    bool whole = true;
    const std::size_t segment = d == Direction::kToServer ? octets.size() : 40;
    for (std::size_t at = 0; at < octets.size(); at += segment) {
      const bool lost = Chance(12);
      whole &= !lost;
      pieces.push_back({d, std::string(octets.substr(at, segment)), lost});
    }
    return whole;
  }
  void Ask(const std::string& command, const std::string& reply) {
    const bool asked = Say(Direction::kToServer, command + "\r\n");
    if (asked) commands.push_back(command.substr(0, command.find(' ')));
    if (Say(Direction::kToClient, reply) && asked && command.starts_with("RETR")) intact.push_back(message_);
  }

  std::mt19937 random_;
  std::string message_;
};

TEST(Pop3Observer, LossesHideNothingElseAndInventNothing) {
  for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
    SCOPED_TRACE(seed);
    Lossy lossy(seed);
    lossy.Make();
    RecordingSink sink;
    Pop3Observer observer(sink, {});
    lossy.Feed(observer);
    std::vector<std::string> told;
    for (const std::string& e : sink.exchanges) {
      const std::size_t from = e.find(' ', e.find(' ') + 1) + 1;
      const std::string verb = e.substr(from, e.find(' ', from) - from);
      if (verb != "-") told.push_back(verb);
    }
    ASSERT_EQ(told, lossy.commands);
    ASSERT_TRUE(sink.broken.empty()) << sink.broken.front();
    std::size_t next = 0;
    for (const auto& m : sink.messages) {
      if (m.end.truncated) continue;
      ASSERT_LT(next, lossy.intact.size());
      ASSERT_EQ(m.octets, lossy.intact[next++]);
    }
    ASSERT_EQ(next, lossy.intact.size());
  }
}

}  // namespace
}  // namespace glasspost::pop3
