// The bounds of the observer, at the limit and one past it; what the conversation files cannot say.
#include "wire/smtp/observer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "support/recording_sink.h"

namespace glasspost::smtp {
namespace {

using test::RecordingSink;

constexpr Direction kClient = Direction::kToServer, kServer = Direction::kToClient;

class SmtpObserverTest : public ::testing::Test {
 protected:
  void Begin(const SmtpLimits& limits, const ObserverOptions& options = {}) {
    observer_ = std::make_unique<SmtpObserver>(sink_, options, limits);
  }
  void C(Octets octets) { observer_->OnOctets(kClient, octets, Now()); }
  void S(Octets octets) { observer_->OnOctets(kServer, octets, Now()); }
  void End() { observer_->OnEnd(Now(), false); }
  void Hello(Octets extensions = "") {
    S("220 mx\r\n");
    C("EHLO c.example\r\n");
    S("250-mx.example\r\n" + std::string(extensions) + "250 PIPELINING\r\n");
  }
  void ToData() {
    Hello();
    C("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
    S("250 ok\r\n250 ok\r\n354 go\r\n");
  }
  bool Found(std::string_view finding) const {
    return std::any_of(sink_.findings.begin(), sink_.findings.end(),
                       [&](const std::string& f) { return f.starts_with(finding); });
  }
  Origin Now() { return {++frame_, static_cast<Timestamp>(frame_) * 1'000'000}; }

  RecordingSink sink_;
  std::unique_ptr<SmtpObserver> observer_;
  std::uint64_t frame_ = 0;
};

TEST_F(SmtpObserverTest, RequestsBeforeTheirReplies) {
  using Texts = std::vector<std::string>;
  ObserverOptions options;
  options.requests = true;
  Begin({}, options);
  S("220 mx\r\n");
  C("EHLO c.example\r\n");
  EXPECT_EQ(sink_.requests, (Texts{"EHLO c.example"}));
  S("250 mx\r\n");
  C("AUTH PLAIN AGEAc2VjcmV0\r\n");
  EXPECT_EQ(sink_.requests.back(), "AUTH PLAIN *** (12 octets)");
  S("535 no\r\n");
  C("AUTH LOGIN\r\n");
  S("334 VXNlcm5hbWU6\r\n");
  C("YQ==\r\n");
  EXPECT_EQ(sink_.requests.back(), "* YQ==");
  S("334 UGFzc3dvcmQ6\r\n");
  C("c2VjcmV0\r\n");
  EXPECT_EQ(sink_.requests.back(), "* *** (8 octets)");
  S("235 ok\r\n");
  // Base64 where no answer is due may be one.
  C("c2VjcmV0c2VjcmV0\r\n");
  EXPECT_EQ(sink_.requests.back(), "***");
  S("500 what\r\n");
  sink_.requests.clear();
  C("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
  EXPECT_EQ(sink_.requests, (Texts{"MAIL FROM:<a@b.example>", "RCPT TO:<c@d.example>", "DATA"}));
  S("250 ok\r\n250 ok\r\n354 go\r\n");
  C("Subject: x\r\n\r\n");
  EXPECT_EQ(sink_.requests.size(), 3u);
  C(".\r\n");
  EXPECT_EQ(sink_.requests.back(), ". 14");
  End();
  EXPECT_TRUE(sink_.broken.empty());
}

TEST_F(SmtpObserverTest, NoRequestsWhereNobodyAsked) {
  Begin({});
  ToData();
  C("x\r\n.\r\n");
  End();
  EXPECT_TRUE(sink_.requests.empty());
}

TEST_F(SmtpObserverTest, LineOctets) {
  Begin({.line_octets = 20});
  Hello();
  C("NOOP 567890123456789\r\n");  // 20 octets
  S("250 ok\r\n");
  C("NOOP 5678901234567890\r\n");
  S("250 ok\r\n");
  End();
  EXPECT_EQ(sink_.exchanges[2], "3 greeting NOOP 567890123456789 | 250 ok");
  EXPECT_EQ(sink_.exchanges[3], "4 greeting NOOP 567890123456789 (cut) | 250 ok");
}

TEST_F(SmtpObserverTest, ReplyOctets) {
  Begin({.reply_octets = 5});
  S("220-ab\r\n220 cd\r\n");
  S("421-ab\r\n421 cde\r\n");
  End();
  EXPECT_EQ(sink_.exchanges[0], "1 greeting - | 220 ab\\ncd");
  EXPECT_EQ(sink_.exchanges[1], "2 quit - | 421 ab\\ncd (cut)");
}

TEST_F(SmtpObserverTest, PendingExchanges) {
  Begin({.pending = 3});
  Hello();
  C("NOOP 1\r\nNOOP 2\r\nNOOP 3\r\n");
  EXPECT_EQ(sink_.exchanges.size(), 2u);
  EXPECT_FALSE(Found("finding 3 too-much"));
  C("NOOP 4\r\n");
  ASSERT_EQ(sink_.exchanges.size(), 3u);
  EXPECT_EQ(sink_.exchanges[2], "3 greeting NOOP 1 | -");
  EXPECT_TRUE(Found("finding 4 too-much"));
  // The first reply is that of the one which had to go.
  S("250 1\r\n");
  EXPECT_EQ(sink_.exchanges.size(), 3u);
  S("250 2\r\n250 3\r\n250 4\r\n");
  EXPECT_EQ(sink_.exchanges.back(), "6 greeting NOOP 4 | 250 4");
  End();
  EXPECT_EQ(sink_.exchanges.size(), 6u);
  EXPECT_TRUE(sink_.broken.empty());
}

TEST_F(SmtpObserverTest, RepliesBelongToTheirCommandsHoweverManyWait) {
  Begin({});
  Hello();
  std::string commands, replies;
  for (int i = 0; i < 5'000; ++i) {
    commands += "NOOP c" + std::to_string(i) + "\r\n";
    replies += "250 c" + std::to_string(i) + "\r\n";
  }
  C(commands);
  S(replies);
  C("DATA\r\n");
  S("503 no\r\n");
  End();
  EXPECT_EQ(sink_.exchanges[2], "3 greeting NOOP c0 | -");
  EXPECT_EQ(sink_.exchanges[2 + 2'000], "2003 greeting NOOP c2000 | 250 c2000");
  EXPECT_EQ(sink_.exchanges[2 + 4'999], "5002 greeting NOOP c4999 | 250 c4999");
  EXPECT_EQ(sink_.exchanges.back(), "5003 data DATA | 503 no");
  EXPECT_TRUE(sink_.broken.empty());
}

TEST_F(SmtpObserverTest, GoAheadAnswersTheLastOneWhateverIsOverdue) {
  Begin({.pending = 3});
  Hello();
  C("NOOP 1\r\nNOOP 2\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n");
  S("354 go\r\n");
  C("x\r\n.\r\n");
  S("250 taken\r\n");
  End();
  ASSERT_EQ(sink_.messages.size(), 1u);
  EXPECT_EQ(sink_.exchanges.back(), "8 data . 3 | 250 taken");
}

TEST_F(SmtpObserverTest, HeldOctetsDecideAtTheLimit) {
  // The reply to DATA does not come: so much is held, then what the client sends decides.
  Begin({.held_octets = 20});
  Hello();
  C("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n");
  S("250 ok\r\n250 ok\r\n");
  C("DATA\r\nSubject: x\r\n\r\n56789");  // 19 octets
  EXPECT_TRUE(sink_.exchanges.size() == 4 && !sink_.open(kClient));
  C("0");
  EXPECT_TRUE(sink_.open(kClient));
  C("\r\n.\r\n");
  S("354 go\r\n250 ok\r\n");
  End();
  ASSERT_EQ(sink_.messages.size(), 1u);
  EXPECT_EQ(sink_.messages[0].octets, "Subject: x\r\n\r\n567890\r\n");
  EXPECT_EQ(sink_.exchanges.back(), "6 data . 22 | 250 ok");
}

TEST_F(SmtpObserverTest, HeldCommandsDecideAtTheLimit) {
  Begin({.held_octets = 6});
  Hello();
  C("DATA\r\n");
  C("QUIT\r");
  EXPECT_EQ(sink_.exchanges.size(), 2u);
  C("\n");
  S("503 no\r\n221 bye\r\n");
  End();
  EXPECT_EQ(sink_.exchanges[3], "4 quit QUIT | 221 bye");
  EXPECT_TRUE(sink_.messages.empty());
}

TEST_F(SmtpObserverTest, HeldPacketsDecideAtTheLimit) {
  // After so many packets without an answer to DATA, the first octet of the next decides; how one packet is cut does not count.
  for (const bool cut : {false, true}) {
    sink_ = {};
    Begin({.held_pieces = 3});
    Hello();
    C("MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\n");
    S("250 ok\r\n250 ok\r\n");
    C("DATA\r\n");
    C("one");
    C("two");
    const Origin third = Now();
    for (const Octets piece : cut ? std::vector<Octets>{"t", "hr", "ee"} : std::vector<Octets>{"three"})
      observer_->OnOctets(kClient, piece, third);
    EXPECT_FALSE(sink_.open(kClient));
    C("f");
    EXPECT_TRUE(sink_.open(kClient));
    C("our\r\n.\r\n");
    S("354 go\r\n250 ok\r\n");
    End();
    ASSERT_EQ(sink_.messages.size(), 1u);
    EXPECT_EQ(sink_.messages[0].octets, "onetwothreefour\r\n");
  }
}

TEST_F(SmtpObserverTest, HeldAgainAndAgainIsGivenBack) {
  // Each of these is held for its own reply, which never comes; what is decided leaves, though something is always held.
  for (const std::string command : {"DATA\r\n", "BDAT x\r\n", "STARTTLS\r\n", "AUTH PLAIN\r\n"}) {
    sink_ = {};
    Begin({.pending = 8, .held_octets = 1000, .held_pieces = 16});
    Hello();
    std::string packet;
    for (int i = 0; i < 20; ++i) packet += command;
    for (int i = 0; i < 3000; ++i) {
      C(i % 2 == 0 ? Octets(packet) : Octets(packet).substr(0, command.size()));
      ASSERT_LT(observer_->Held(), sizeof(SmtpObserver) + 100'000) << command << i;
    }
    End();
    EXPECT_TRUE(sink_.broken.empty()) << command;
  }
}

TEST_F(SmtpObserverTest, TlsThatIsHeldToItsLimitIsGivenWhole) {
  struct Early : RecordingSink {
    std::string tls;
    bool started = false;
    void OnTlsStart(const Origin&) override { started = true; }
    void OnEarlyTls(Octets octets, const Origin&) override { tls += octets; }
  };
  // The reply to STARTTLS is not there; one octet a packet, or all at once, the hello is no octet shorter.
  const std::string hello = "\x16\x03\x01" + std::string(60, 'h');
  for (const SmtpLimits& limits : {SmtpLimits{.held_pieces = 1}, SmtpLimits{.held_pieces = 3}, SmtpLimits{.held_octets = 2}}) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{2}, hello.size()}) {
      Early sink;
      SmtpObserver observer(sink, {}, limits);
      observer.OnOctets(kServer, "220 mx\r\n", Now());
      observer.OnOctets(kClient, "EHLO c.example\r\n", Now());
      observer.OnOctets(kServer, "250-mx\r\n250 STARTTLS\r\n", Now());
      observer.OnOctets(kClient, "STARTTLS\r\n", Now());
      std::string routed;  // once TLS has begun, by whoever feeds the observer
      for (std::size_t at = 0; at < hello.size(); at += step) {
        const Octets piece = Octets(hello).substr(at, step);
        sink.started ? void(routed += piece) : observer.OnOctets(kClient, piece, Now());
      }
      EXPECT_TRUE(!sink.started || sink.tls + routed == hello) << limits.held_pieces << " " << step;
      EXPECT_TRUE(sink.started || step == hello.size()) << limits.held_pieces << " " << step;
    }
  }
}

// However the octets of a packet are cut, the same is told: random dialogues at small limits.
TEST_F(SmtpObserverTest, CutsOfAPacketDoNotCount) {
  const std::vector<Octets> said = {"MAIL FROM:<a@b>\r\n",
                                    "RCPT TO:<c@d>\r\n",
                                    "DATA\r\n",
                                    "DATA\r\n",
                                    "text line\r\n",
                                    ".\r\n",
                                    "\n.\n",
                                    "\r\n.\n",
                                    "BDAT 12\r\n",
                                    "BDAT 5 LAST\r\n",
                                    "BDAT x\r\n",
                                    "AUTH LOGIN\r\n",
                                    "AUTH PLAIN\r\n",
                                    "c2Vj\r\n",
                                    "STARTTLS\r\n",
                                    "QUIT\r\n",
                                    "NOOP",
                                    "\r",
                                    "\n",
                                    "x",
                                    "long text without an end"};
  const std::vector<Octets> answers = {"250 ok\r\n", "354 go\r\n", "334 \r\n", "235 ok\r\n", "503 no\r\n",
                                       "220 go\r\n", "250",        "-x\r\n",   "\r\n"};
  struct Event {
    Direction direction;
    std::string octets;
    bool gap;
  };
  std::mt19937 random(17);
  const auto below = [&](std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random); };
  for (int run = 0; run < 4000; ++run) {
    const SmtpLimits limits{.line_octets = 10 + below(40),
                            .pending = 2 + below(5),
                            .held_octets = 6 + below(60),
                            .held_pieces = 1 + below(5),
                            .look_alike_octets = 4 + below(40)};
    std::vector<Event> events;
    for (std::size_t n = 3 + below(30); n > 0; --n) {
      Event e{below(4) == 0 ? kServer : kClient, {}, below(12) == 0};
      for (std::size_t k = 1 + below(4); k > 0; --k)
        e.octets += e.direction == kServer ? answers[below(answers.size())] : said[below(said.size())];
      events.push_back(std::move(e));
    }
    std::string told[2];
    for (const bool cut : {false, true}) {
      RecordingSink sink;
      SmtpObserver observer(sink, {}, limits);
      Origin origin{0, 0};
      observer.OnOctets(kServer, "220 mx\r\n", origin);
      for (const Event& e : events) {
        ++origin.frame, ++origin.time;
        if (e.gap) {
          observer.OnGap(e.direction, e.octets.size(), origin);
        } else {
          for (std::size_t at = 0; at < e.octets.size(); at += cut ? 1 : e.octets.size())
            observer.OnOctets(e.direction, Octets(e.octets).substr(at, cut ? 1 : e.octets.size()), origin);
        }
      }
      observer.OnEnd(origin, false);
      std::string& all = told[cut ? 1 : 0];
      for (const std::string& exchange : sink.exchanges) all += exchange + "\n";
      for (const std::string& finding : sink.findings) all += finding + "\n";
      for (const auto& message : sink.messages) all += message.octets + "|\n";
      EXPECT_TRUE(sink.broken.empty());
    }
    ASSERT_EQ(told[0], told[1]) << run;
  }
}

TEST_F(SmtpObserverTest, LookAlikeIsHeldSoFar) {
  Begin({.look_alike_octets = 10});
  ToData();
  C("one\n.\n123456789");
  S("250 queued\r\n");  // nine octets behind it: the server believed it
  EXPECT_EQ(sink_.messages.size(), 1u);
  C("\r\n");
  End();
  EXPECT_EQ(sink_.messages[0].octets, "one\n");
}

TEST_F(SmtpObserverTest, LookAlikeIsPassedBeyond) {
  Begin({.look_alike_octets = 10});
  ToData();
  C("one\n.\n1234567890");
  C("\r\n.\r\n");
  S("250 queued\r\n");
  End();
  ASSERT_EQ(sink_.messages.size(), 1u);
  EXPECT_EQ(sink_.messages[0].octets, "one\n.\n1234567890\r\n");
  EXPECT_TRUE(Found("finding 6 look-alike-end-of-data"));
}

TEST_F(SmtpObserverTest, RecipientsKept) {
  Begin({.recipients = 2});
  Hello();
  C("MAIL FROM:<a@b.example>\r\nRCPT TO:<1@d.example>\r\nRCPT TO:<2@d.example>\r\nRCPT TO:<3@d.example>\r\nDATA\r\n");
  S("250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
  C("x\r\n.\r\n");
  End();
  ASSERT_EQ(sink_.messages.size(), 1u);
  EXPECT_EQ(sink_.messages[0].envelope.forward_paths, (std::vector<std::string>{"1@d.example", "2@d.example"}));
}

TEST_F(SmtpObserverTest, RecipientOctetsKept) {
  Begin({.recipient_octets = 22});
  Hello();
  C("MAIL FROM:<a@b.example>\r\nRCPT TO:<1@d.example>\r\nRCPT TO:<2@d.example>\r\nRCPT TO:<3@d>\r\nRCPT TO:<>\r\nDATA\r\n");
  S("250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n");
  C("x\r\n.\r\n");
  End();
  ASSERT_EQ(sink_.messages.size(), 1u);
  EXPECT_EQ(sink_.messages[0].envelope.forward_paths, (std::vector<std::string>{"1@d.example", "2@d.example"}));
}

TEST_F(SmtpObserverTest, PendingOctets) {
  Begin({.pending_octets = 2000});
  Hello();
  const std::string argument(950, 'x');
  const std::size_t told = sink_.exchanges.size();
  for (int i = 0; i < 2; ++i) C("NOOP " + argument + "\r\n");
  C("NOOP\r\n");
  EXPECT_EQ(sink_.exchanges.size(), told);
  C("NOOP " + argument + "\r\n");
  C("NOOP\r\n");
  EXPECT_EQ(sink_.exchanges.size(), told + 1) << "the oldest is told as it stands";
  EXPECT_TRUE(Found("finding 4 too-much"));
  EXPECT_LT(observer_->Held(), sizeof(SmtpObserver) + 16 * sizeof(Entry) + 4000);
  End();
}

TEST_F(SmtpObserverTest, HoldsNoMoreThanItsLimitsSay) {
  const SmtpLimits limits;
  const std::size_t bound = sizeof(SmtpObserver) + 2 * limits.pending * sizeof(Entry) + limits.pending * 200 +
                            limits.pending_octets + 4 * limits.reply_octets + limits.held_octets;
  for (const bool answered : {false, true}) {
    Begin(limits);
    Hello();
    for (int i = 0; i < 6'000; ++i) {
      C("RSET " + std::string(static_cast<std::size_t>(i) % 10'000, 'y') + "\r\n");
      if (answered && i % 3 == 0) S("250-" + std::string(static_cast<std::size_t>(i) % 9'000, 'z') + "\r\n");
      ASSERT_LT(observer_->Held(), bound) << i;
    }
    End();
  }
}

TEST_F(SmtpObserverTest, RepliesToOneMessageAreKeptWhileThereIsRoom) {
  for (const bool bounded : {false, true}) {
    sink_ = {};
    Begin(bounded ? SmtpLimits{.pending_octets = 2'000} : SmtpLimits{});
    S("220 mx\r\n");
    C("LHLO c.example\r\n");
    S("250 mx\r\n");
    C("MAIL FROM:<a@b.example>\r\n");
    S("250 ok\r\n");
    constexpr int kRecipients = 30'000;
    for (int i = 0; i < kRecipients; ++i) {
      C("RCPT TO:<c@d.example>\r\n");
      S("250 ok\r\n");
    }
    C("DATA\r\n");
    S("354 go\r\n");
    C("x\r\n.\r\n");
    const std::size_t before = observer_->Held();
    for (int i = 0; i < kRecipients; ++i) S("250 taken\r\n");
    if (bounded) {
      EXPECT_LT(observer_->Held(), before + 4'000);
    }
    C("QUIT\r\n");
    S("221 bye\r\n");
    End();
    // The command behind them has its own reply, whatever was kept.
    EXPECT_TRUE(sink_.exchanges.back().ends_with("quit QUIT | 221 bye")) << sink_.exchanges.back();
    const std::string& block = sink_.exchanges[sink_.exchanges.size() - 2];
    EXPECT_EQ(block.ends_with("(cut)"), bounded || SmtpLimits{}.pending_octets < kRecipients * sizeof(Reply));
    EXPECT_FALSE(Found("finding 30006 unsolicited-reply"));
  }
}

// Nothing tells whether the server believes in these: one after the other is passed over.
TEST_F(SmtpObserverTest, ManyLookAlikesBeforeAGapOrTheEnd) {
  std::string block = "DATA\r\nx\n";
  for (int i = 0; i < 31'000; ++i) block += ".\n";
  for (const bool gap : {true, false}) {
    sink_ = {};
    Begin({});
    Hello();
    C("MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\n");
    S("250 ok\r\n250 ok\r\n");
    C(block);
    if (gap) observer_->OnGap(kClient, 10, Now());
    S("354 go\r\n");
    End();
    ASSERT_EQ(sink_.messages.size(), 1u);
    EXPECT_EQ(sink_.messages[0].octets.size(), block.size() - 8);  // without DATA, and the last of them
    EXPECT_TRUE(sink_.messages[0].end.truncated);
    EXPECT_TRUE(sink_.broken.empty());
  }
}

TEST_F(SmtpObserverTest, ManyRepliesAtALookAlikeTakeLinearTime) {
  Begin({});
  ToData();
  // The true end is there, and so many lines behind it that no reply says which end the server took.
  C("x\n.\r\n\r\n.\r\n" + std::string(65'000, '\n'));
  std::string replies;
  for (int i = 0; i < 4'090; ++i) replies += "250\n";
  S(replies);
  End();
  ASSERT_EQ(sink_.messages.size(), 1u);
  EXPECT_EQ(sink_.messages[0].octets, "x\n.\r\n\r\n");
  EXPECT_TRUE(sink_.broken.empty());
}

TEST_F(SmtpObserverTest, FindingsOfAKind) {
  Begin({.findings_of_a_kind = 2});
  Hello();
  for (int i = 0; i < 5; ++i) {
    C("XYZZY\r\n");
    S("500 no\r\n");
  }
  End();
  EXPECT_EQ(sink_.findings.size(), 2u);
  EXPECT_EQ(sink_.exchanges.size(), 7u);
}

TEST_F(SmtpObserverTest, FramesAndTimes) {
  struct Spans : RecordingSink {
    std::vector<Exchange> all;
    void OnExchange(const Exchange& e) override {
      RecordingSink::OnExchange(e);
      all.push_back(e);
    }
  } sink;
  SmtpObserver observer(sink, {});
  const auto at = [](std::uint64_t frame) { return Origin{frame, static_cast<Timestamp>(frame) * 10}; };
  observer.OnOctets(kServer, "220 mx\r\n", at(4));
  observer.OnOctets(kClient, "EH", at(5));
  observer.OnOctets(kClient, "LO c.example\r\n", at(6));
  observer.OnOctets(kServer, "250-m", at(7));
  observer.OnOctets(kServer, "x.example\r\n", at(8));
  observer.OnOctets(kServer, "250 PIPELINING\r\n", at(9));
  // DATA's content is held until 354 is there, and keeps the packets that brought it.
  observer.OnOctets(kClient, "MAIL FROM:<>\r\nRCPT TO:<a@b.example>\r\nDATA\r\nx\r", at(10));
  observer.OnOctets(kClient, "\n.\r\nQUIT\r\n", at(11));
  observer.OnOctets(kServer, "250 ok\r\n250 ok\r\n354 go\r\n250 ok\r\n221 bye\r\n", at(12));
  observer.OnEnd(at(13), false);
  ASSERT_EQ(sink.all.size(), 7u);
  const Exchange& ehlo = sink.all[1];
  EXPECT_EQ(ehlo.request.span.frames.first(), 5u);
  EXPECT_EQ(ehlo.request.span.frames.last(), 6u);
  EXPECT_EQ(ehlo.request.span.first_time, 50);
  EXPECT_EQ(ehlo.request.span.last_time, 60);
  EXPECT_EQ(ehlo.reply.span.frames.size(), 3u);
  EXPECT_EQ(ehlo.reply.span.offset, 8u);
  EXPECT_EQ(ehlo.reply.span.length, 32u);
  const Exchange& block = sink.all[5];
  EXPECT_EQ(block.request.verb, ".");
  EXPECT_EQ(block.request.span.frames.first(), 10u);
  EXPECT_EQ(block.request.span.frames.last(), 11u);
  EXPECT_EQ(block.request.span.offset, 16u + 14 + 23 + 6);
  EXPECT_EQ(block.request.span.length, 6u);
  EXPECT_EQ(sink.all[6].request.span.frames.first(), 11u);
}

TEST_F(SmtpObserverTest, ACommandIsNeitherADataBlockNorAnAnswer) {
  struct Verbs : RecordingSink {
    std::vector<std::pair<std::string, std::string>> all;
    void OnExchange(const Exchange& e) override { all.emplace_back(e.request.verb, e.request.VerbAsWritten()); }
  } sink;
  SmtpObserver observer(sink, {});
  observer.OnOctets(kServer, "220 mx\r\n", Now());
  for (const Octets line : {".\r\n", "*\r\n", "foo\r\n"}) {
    observer.OnOctets(kClient, line, Now());
    observer.OnOctets(kServer, "500 what\r\n", Now());
  }
  using Verb = std::pair<std::string, std::string>;
  EXPECT_EQ(sink.all, (std::vector<Verb>{{}, {"?", "."}, {"?", "*"}, {"FOO", "foo"}}));
}

TEST_F(SmtpObserverTest, NothingAfterTheEnd) {
  Begin({});
  Hello();
  End();
  const std::size_t told = sink_.exchanges.size();
  C("QUIT\r\n");
  S("221 bye\r\n");
  observer_->OnFin(kClient, Now());
  End();
  EXPECT_EQ(sink_.exchanges.size(), told);
}

}  // namespace
}  // namespace glasspost::smtp
