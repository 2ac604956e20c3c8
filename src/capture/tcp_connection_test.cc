// TCP reassembly, case by case. Positions are stream positions (see tcp_test_support.h).
#include "capture/tcp_connection.h"

#include <gtest/gtest.h>

#include <string>

#include "capture/held_segments.h"
#include "capture/tcp_test_support.h"

namespace glasspost::capture {
namespace {

using test::Lines;
using test::Record;
using test::Wire;

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

TEST(TcpConnection, DialogueIsToldAtOnceAndNotCopied) {
  Wire w;
  w.Handshake();
  struct Same : Record {
    void OnTcpOctets(Side side, Octets octets, const Origin& origin) override {
      views.push_back(octets.data());
      Record::OnTcpOctets(side, octets, origin);
    }
    std::vector<const void*> views;
  } told;
  const std::string greeting = "220 hello\r\n";
  const std::string ehlo = "EHLO a\r\n";
  Packet p = w.Make(1, 0, 0, kAck);
  Wire::SetOctets(p, greeting);
  w.connection.Add(1, p, told);
  p = w.Make(0, 0, 11, kAck | kPsh);
  Wire::SetOctets(p, ehlo);
  w.connection.Add(0, p, told);
  EXPECT_EQ(told.lines, (Lines{"1:220 hello\r\n", "0:EHLO a\r\n"}));
  EXPECT_EQ(told.views, (std::vector<const void*>{greeting.data(), ehlo.data()}));
  EXPECT_EQ(w.budget.used, 0u);
  EXPECT_EQ(w.connection.told(1), 11u);
  EXPECT_TRUE(w.connection.syn_seen(0) && w.connection.syn_seen(1));
  EXPECT_FALSE(w.connection.closed());
  EXPECT_EQ(w.connection.first_sequence(0), test::kBase0 - 1);
  EXPECT_EQ(w.connection.next_sequence(0), test::kBase0 + 8);
}

TEST(TcpConnection, OutOfOrder) {
  Wire w;
  w.Handshake();
  w.Data(0, 3, "def", 0);
  w.Data(0, 6, "ghi", 0);
  EXPECT_TRUE(w.lines().empty());
  EXPECT_EQ(w.budget.used, 6 + 2 * HeldSegments::kPieceCost);
  w.Data(0, 0, "abc", 0);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:def", "0:ghi"}));
  EXPECT_EQ(w.told.frames, (std::vector<std::uint64_t>{6, 4, 5}));  // each of the packet that brought it
  EXPECT_EQ(w.budget.used, 0u);
  EXPECT_EQ(w.connection.counts(0).out_of_order, 1u);
}

TEST(TcpConnection, ReplyBeforeTheCommandThatItAcknowledges) {
  Wire w;
  w.Handshake();
  w.Data(1, 0, "250 ok", 4);
  EXPECT_TRUE(w.lines().empty());
  w.Data(0, 0, "NOOP", 0);
  EXPECT_EQ(w.lines(), (Lines{"0:NOOP", "1:250 ok"}));
}

TEST(TcpConnection, ChainOfRepliesAndCommandsReversed) {
  Wire w;
  w.Handshake();
  w.Data(0, 3, "c2.", 3);
  w.Data(1, 3, "r2.", 6);
  w.Data(1, 0, "r1.", 3);
  EXPECT_TRUE(w.lines().empty());
  w.Data(0, 0, "c1.", 0);
  EXPECT_EQ(w.lines(), (Lines{"0:c1.", "1:r1.", "0:c2.", "1:r2."}));
}

TEST(TcpConnection, Retransmission) {
  Wire w;
  w.Handshake();
  w.Data(0, 0, "abcdef", 0);
  w.Data(0, 0, "abcdef", 0);  // exact repeat
  w.Data(0, 3, "defghi", 0);  // overlaps, brings more
  EXPECT_EQ(w.lines(), (Lines{"0:abcdef", "0:again 6", "0:ghi", "0:again 3"}));
  EXPECT_EQ(w.connection.counts(0).retransmissions, 2u);
}

TEST(TcpConnection, RetransmissionWithOtherContents) {
  Wire w;
  w.Handshake();
  w.Data(0, 0, "abcdef", 0);
  w.Data(0, 0, "abcxef", 0);
  EXPECT_EQ(w.lines(), (Lines{"0:abcdef", "0:again 6 conflict"}));
}

TEST(TcpConnection, WhateverOverlapsTheLastOctetsIsCompared) {
  const std::string first = "MAIL FROM:<a@b>\r\n", second = "RCPT TO:<good@b>\r\n", evil = "RCPT TO:<evil@b>\r\n";
  {
    Wire w;  // the end of a segment
    w.Handshake();
    w.Data(0, 0, first + second, 0);
    w.Data(0, 17, second, 0);
    w.Data(0, 17, evil, 0);
    EXPECT_EQ(w.lines(), (Lines{"0:" + first + second, "0:again 18", "0:again 18 conflict"}));
  }
  {
    Wire w;  // parts of two
    w.Handshake();
    w.Data(0, 0, first, 0);
    w.Data(0, 17, second, 0);
    w.Data(0, 10, "<a@b>\r\nRCPT TO:", 0);
    w.Data(0, 10, "<a@b>\r\nRCPT TX:", 0);
    EXPECT_EQ(w.lines(), (Lines{"0:" + first, "0:" + second, "0:again 15", "0:again 15 conflict"}));
  }
  {
    Wire w;  // with new octets behind
    w.Handshake();
    w.Data(0, 0, first + second, 0);
    w.Data(0, 17, evil + "NOOP\r\n", 0);
    EXPECT_EQ(w.lines(), (Lines{"0:" + first + second, "0:NOOP\r\n", "0:again 18 conflict"}));
    EXPECT_EQ(w.told.streams[0], first + second + "NOOP\r\n");
  }
}

TEST(TcpConnection, SixtyFourOctetsAreKeptForThat) {
  for (const std::size_t piece : {1u, 3u, 63u, 64u, 65u, 200u}) {
    Wire w;
    w.Handshake();
    std::string all(200, ' ');
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>('!' + i % 90);
    for (std::size_t at = 0; at < all.size(); at += piece) w.Data(0, static_cast<std::int64_t>(at), all.substr(at, piece), 0);
    w.Data(0, 136, all.substr(136, 50), 0);
    EXPECT_EQ(w.lines().back(), "0:again 50") << piece;
    w.Data(0, 136, "\x7f" + all.substr(137, 49), 0);
    EXPECT_EQ(w.lines().back(), "0:again 50 conflict") << piece;
    w.Data(0, 135, "\x7f" + all.substr(136, 49), 0);  // one before
    EXPECT_EQ(w.lines().back(), "0:again 50") << piece;
  }
}

TEST(TcpConnection, NothingBeforeAGapIsCompared) {
  Wire w;
  w.Handshake();
  w.Data(0, 0, "abcd", 0);
  w.Data(0, 8, "ijkl", 0);
  w.Flush();
  w.Data(0, 4, "efghijkl", 0);
  EXPECT_EQ(w.lines().back(), "0:again 4");
  w.Data(0, 2, "xxxxxxij", 0);
  EXPECT_EQ(w.lines().back(), "0:again 4");
  w.Data(0, 2, "cdefghiJ", 0);
  EXPECT_EQ(w.lines().back(), "0:again 4 conflict");
}

TEST(TcpConnection, OverlapOfHeldSegmentsOldWins) {
  Wire w;
  w.Handshake();
  w.Data(0, 3, "OLD", 0);
  w.Data(0, 2, "newnew", 0);
  w.Data(0, 0, "ab", 0);
  EXPECT_EQ(w.told.streams[0], "abnOLDew");
  EXPECT_EQ(w.lines().front(), "0:again 3 conflict");
}

TEST(TcpConnection, InOrderSegmentOverlapsHeldOnes) {
  Wire w;
  w.Handshake();
  w.Data(0, 3, "def", 0);
  w.Data(0, 0, "abcdefgh", 0);
  EXPECT_EQ(w.told.streams[0], "abcdefgh");
  EXPECT_EQ(w.lines().front(), "0:again 3");
}

TEST(TcpConnection, SequenceWrap) {
  Wire w;
  w.base0 = 0xfffffffcu;
  w.base1 = 0xffffffffu;
  w.Handshake();
  w.Data(0, 0, "abc", 0);
  w.Data(0, 6, "ghi", 0);
  w.Data(0, 3, "def", 0);
  w.Data(1, 0, "xyz", 9);
  w.Data(0, 9, "jkl", 3);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:def", "0:ghi", "1:xyz", "0:jkl"}));
}

TEST(TcpConnection, FourGigabytesAndMore) {
  Wire w;
  w.Handshake();
  const std::string block(60000, 'x');
  struct Count : TcpEvents {
    void OnTcpOctets(Side, Octets o, const Origin&) override { octets += o.size(); }
    void OnTcpGap(Side, std::uint64_t, std::uint64_t, const Origin&) override { ADD_FAILURE(); }
    void OnTcpFin(Side, const Origin&) override {}
    void OnTcpReset(Side, const Origin&) override {}
    void OnTcpRetransmission(Side, std::uint64_t, bool, const Origin&) override { ADD_FAILURE(); }
    std::uint64_t octets = 0;
  } count;
  for (std::int64_t i = 0; i < 80000; ++i) {
    Packet p = w.Make(0, (i ^ 1) * 60000, 0, kAck);  // every two swapped
    Wire::SetOctets(p, block);
    w.connection.Add(0, p, count);
  }
  EXPECT_EQ(count.octets, std::uint64_t{80000} * 60000);
  EXPECT_EQ(w.connection.told(0), std::uint64_t{80000} * 60000);
}

TEST(TcpConnection, KeepAliveAndWindowProbesAreNotReported) {
  Wire w;
  w.Handshake();
  w.Data(0, 0, "abc", 0);
  w.Ack(0, 2, 0);         // keep-alive without an octet
  w.Data(0, 2, "\0", 0);  // and with one, that is garbage
  w.Ack(1, 0, 3);
  w.Data(0, 3, "d", 0);    // probe of a window that is closed: a true octet
  w.Data(0, 3, "d", 0);    // again
  w.Data(0, 3, "def", 0);  // the window is open
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:d", "0:ef"}));
  EXPECT_EQ(w.connection.counts(0).retransmissions, 0u);
}

TEST(TcpConnection, ZeroWindowIsCounted) {
  Wire w;
  w.Handshake();
  Packet p = w.Make(1, 0, 0, kAck);
  p.window = 0;
  w.Put(1, p);
  w.Put(1, p);
  EXPECT_EQ(w.connection.counts(1).zero_windows, 2u);
  EXPECT_EQ(w.connection.counts(0).zero_windows, 0u);
}

TEST(TcpConnection, ResetEndsIt) {
  Wire w;
  w.Handshake();
  w.Data(0, 0, "abc", 0);
  w.Flags(1, kRst | kAck, 0, 3);
  w.Flags(1, kRst | kAck, 0, 3);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "1:reset"}));
  EXPECT_TRUE(w.connection.closed() && w.connection.reset());
}

TEST(TcpConnection, OctetsCapturedAfterTheResetAreTold) {
  Wire w;
  w.Handshake();
  w.Data(0, 3, "def", 0);
  w.Flags(0, kRst, 6, 0);
  EXPECT_TRUE(w.connection.closed());
  w.Data(0, 0, "abc", 0);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:def", "0:reset"}));
  w.Data(1, 0, "late", 0);
  EXPECT_EQ(w.lines().back(), "1:late");
}

TEST(TcpConnection, ResetDoesNotWaitForEver) {
  Wire w({.reorder_window = 4});
  w.Handshake();
  w.Flags(0, kRst, 10, 0);
  EXPECT_TRUE(w.lines().empty());
  w.Idle(3, 0, 0);
  EXPECT_TRUE(w.lines().empty());
  w.Idle(1, 0, 0);
  EXPECT_EQ(w.lines(), (Lines{"0:reset"}));
}

TEST(TcpConnection, ResetOutOfTheWindowIsIgnored) {
  Wire w;
  w.Handshake();
  w.Flags(0, kRst, 1 << 30, 0);
  w.Flags(0, kRst, -(1 << 30), 0);
  w.Flags(1, kRst | kAck, 1 << 28, 0);
  EXPECT_FALSE(w.connection.reset());
  w.Flags(1, kRst | kAck, 0, kGiB);  // an acknowledgement from elsewhere does not matter in a reset
  EXPECT_TRUE(w.connection.reset());
  w.Flush();
  EXPECT_EQ(w.lines(), (Lines{"1:reset"}));
}

TEST(TcpConnection, RefusedConnection) {
  Wire w;
  w.Flags(0, kSyn, -1, 0);
  Packet p = w.Make(1, 0, 0, kRst | kAck);
  p.sequence = 0;
  w.Put(1, p);
  EXPECT_EQ(w.lines(), (Lines{"1:reset"}));
  EXPECT_TRUE(w.connection.closed());
}

TEST(TcpConnection, HalfClose) {
  Wire w;
  w.Handshake();
  w.Data(0, 0, "bye", 0, kFin);
  EXPECT_EQ(w.lines(), (Lines{"0:bye", "0:fin"}));
  w.Data(1, 0, "still ", 4);
  w.Data(1, 6, "here", 4);
  w.Flags(0, kAck, 4, 10);
  EXPECT_FALSE(w.connection.closed());
  w.Flags(1, kFin | kAck, 10, 4);
  EXPECT_FALSE(w.connection.closed());  // its FIN is not acknowledged yet
  w.Ack(0, 4, 11);
  EXPECT_TRUE(w.connection.closed());
  w.Flags(1, kFin | kAck, 10, 4);
  EXPECT_EQ(w.lines(), (Lines{"0:bye", "0:fin", "1:still ", "1:here", "1:fin"}));
  EXPECT_EQ(w.connection.counts(1).retransmissions, 1u);
  EXPECT_EQ(w.connection.next_sequence(1), test::kBase1 + 11);
}

TEST(TcpConnection, FinOutOfOrder) {
  Wire w;
  w.Handshake();
  w.Data(0, 3, "def", 0, kFin);
  w.Ack(1, 0, 7);
  EXPECT_TRUE(w.lines().empty());
  w.Data(0, 0, "abc", 0);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:def", "0:fin"}));
  EXPECT_EQ(w.told.frames, (std::vector<std::uint64_t>{6, 4, 4}));
}

TEST(TcpConnection, ReplyToTheFinWaitsForTheFin) {
  Wire w;
  w.Handshake();
  w.Data(1, 0, "221 bye", 5, kFin);
  w.Data(0, 0, "QUIT", 0, kFin);
  EXPECT_EQ(w.lines(), (Lines{"0:QUIT", "0:fin", "1:221 bye", "1:fin"}));
}

TEST(TcpConnection, OctetsAfterTheFinAreNotTold) {
  Wire w;
  w.Handshake();
  w.Data(0, 0, "abc", 0, kFin);
  w.Data(0, 3, "def", 0);
  w.Data(0, 4, "def", 0);
  w.Flush();
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:fin"}));
}

TEST(TcpConnection, SimultaneousClose) {
  Wire w;
  w.Handshake();
  w.Flags(0, kFin | kAck, 0, 0);
  w.Flags(1, kFin | kAck, 0, 0);
  w.Ack(0, 1, 1);
  w.Ack(1, 1, 1);
  EXPECT_EQ(w.lines(), (Lines{"0:fin", "1:fin"}));
  EXPECT_TRUE(w.connection.closed());
}

TEST(TcpConnection, SimultaneousOpen) {
  Wire w;
  w.Flags(0, kSyn, -1, 0);
  w.Flags(1, kSyn, -1, 0);
  w.Flags(0, kSyn | kAck, -1, 0);
  w.Flags(1, kSyn | kAck, -1, 0);
  w.Data(0, 0, "hi", 0);
  w.Data(1, 0, "ho", 2);
  EXPECT_EQ(w.lines(), (Lines{"0:hi", "1:ho"}));
  EXPECT_FALSE(w.connection.BeginsAnother(0, w.Make(0, -1, 0, kSyn | kAck)));
}

TEST(TcpConnection, SynWithOctets) {
  Wire w;
  Packet p = w.Make(0, -1, 0, kSyn);
  Wire::SetOctets(p, "EHLO a");
  w.Put(0, p);
  EXPECT_EQ(w.lines(), (Lines{"0:EHLO a"}));  // TCP Fast Open (RFC 7413)
  w.Flags(1, kSyn | kAck, -1, 0);             // the server did not take them
  w.Data(0, 0, "EHLO a", 0);
  w.Data(1, 0, "250", 6);
  EXPECT_EQ(w.lines(), (Lines{"0:EHLO a", "0:again 6", "1:250"}));
}

TEST(TcpConnection, SynRepeated) {
  Wire w;
  w.Flags(0, kSyn, -1, 0);
  EXPECT_FALSE(w.connection.BeginsAnother(0, w.Make(0, -1, 0, kSyn)));
  w.Handshake();
  w.Flags(1, kSyn | kAck, -1, 0);
  w.Data(1, 0, "220", 0);
  EXPECT_EQ(w.lines(), (Lines{"1:220"}));
  EXPECT_EQ(w.connection.counts(0).retransmissions, 1u);
  EXPECT_EQ(w.connection.counts(1).retransmissions, 1u);
}

TEST(TcpConnection, PortReuse) {
  Wire w;
  w.Handshake();
  const auto syn = [&](std::int64_t at) { return w.Make(0, at - 1, 0, kSyn); };
  w.Data(0, 0, "abc", 0);
  EXPECT_TRUE(w.connection.BeginsAnother(0, syn(1000000)));
  EXPECT_TRUE(w.connection.BeginsAnother(0, syn(-1)));
  EXPECT_TRUE(w.connection.BeginsAnother(0, syn(3 + 65536)));
  EXPECT_FALSE(w.connection.BeginsAnother(0, syn(3 + 65535)));  // could be a stray
  EXPECT_FALSE(w.connection.BeginsAnother(0, syn(0)));
  EXPECT_FALSE(w.connection.BeginsAnother(0, w.Make(0, 1 << 28, 0, kAck)));
  w.Data(0, 20, "abc", 0);
  w.Put(0, syn(1000));  // the stray is ignored
  w.Flags(0, kFin | kAck, 3, 0);
  w.Flags(1, kFin | kAck, 0, 4);
  w.Ack(0, 4, 1);
  EXPECT_TRUE(w.connection.closed());
  EXPECT_TRUE(w.connection.BeginsAnother(0, syn(1000)));
  EXPECT_FALSE(w.connection.BeginsAnother(0, syn(0)));
  EXPECT_TRUE(w.connection.BeginsAnother(1, w.Make(1, 70000, 0, kSyn | kAck)));
  EXPECT_FALSE(w.connection.BeginsAnother(0, w.Make(0, 4, 1, kAck)));
  Packet far = w.Make(0, 1 << 28, 0, kAck);  // no SYN, but nothing of this connection either
  Wire::SetOctets(far, "x");
  EXPECT_TRUE(w.connection.BeginsAnother(0, far));
}

TEST(TcpConnection, MidStream) {
  Wire w({.reorder_window = 4});
  w.Data(0, 100, "abc", 50);
  w.Data(0, 90, "0123456789", 50);  // captured late: it lowers the beginning
  w.Data(1, 50, "xyz", 103);
  EXPECT_TRUE(w.lines().empty());
  for (int i = 0; i < 3; ++i) w.Ack(0, 103, 53);
  EXPECT_TRUE(w.lines().empty());
  w.Ack(0, 103, 53);  // the first packets of both sides are over
  EXPECT_EQ(w.lines(), (Lines{"0:0123456789", "0:abc", "1:xyz"}));
  w.Data(0, 103, "def", 53);
  EXPECT_EQ(w.lines().back(), "0:def");
  EXPECT_FALSE(w.connection.syn_seen(0));
  EXPECT_EQ(w.connection.first_sequence(0), test::kBase0 + 90);
  w.Data(0, 80, "0123456789", 53);  // too late: before the beginning
  EXPECT_EQ(w.lines().back(), "0:def");
  EXPECT_EQ(w.budget.used, 0u);
}

TEST(TcpConnection, TheSynThatIsAnsweredCounts) {
  for (const bool second : {true, false}) {
    Wire w;
    w.Flags(0, kSyn, second ? -501 : -1, 0);
    w.Flags(0, kSyn, second ? -1 : -501, 0);
    w.Flags(1, kSyn | kAck, -1, 0);
    w.Flags(1, kSyn | kAck, -1, 0);
    w.Flags(0, kAck, 0, 0);
    w.Data(1, 0, "220 mx", 0);
    w.Data(0, 0, "EHLO", 6);
    w.Flush();
    EXPECT_EQ(w.lines(), (Lines{"1:220 mx", "0:EHLO"})) << second;
    EXPECT_EQ(w.connection.first_sequence(0), test::kBase0 - 1) << second;
    EXPECT_EQ(w.connection.counts(0).out_of_order, 0u);
  }
  Wire w;  // what the side sends says it where the answer is not captured
  w.Flags(0, kSyn, -501, 0);
  w.Flags(0, kSyn, -1, 0);
  w.Data(0, 0, "EHLO", 0);
  w.Flush();
  EXPECT_EQ(w.lines(), (Lines{"0:EHLO"}));
}

TEST(TcpConnection, SynAfterTheFirstOctets) {
  Wire w;
  w.Data(0, 3, "def", 0);
  w.Data(0, 0, "abc", 0);
  w.Flags(1, kSyn | kAck, -1, 0);
  EXPECT_FALSE(w.connection.BeginsAnother(0, w.Make(0, -1, 0, kSyn)));
  w.Flags(0, kSyn, -1, 0);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:def"}));
  EXPECT_TRUE(w.connection.syn_seen(0));
}

TEST(TcpConnection, SynBeginsAnotherAfterTheTailOfAnOldConnection) {
  Wire w;
  w.Flags(0, kFin | kAck, 100, 50);
  EXPECT_TRUE(w.connection.BeginsAnother(0, w.Make(0, 100000, 0, kSyn)));
  EXPECT_TRUE(w.connection.BeginsAnother(0, w.Make(0, -(1 << 28), 0, kSyn)));
}

TEST(TcpConnection, MidStreamBeginsWithAKeepAlive) {
  Wire w({.reorder_window = 2});
  w.Ack(0, 99, 50);
  w.Ack(1, 50, 100);
  w.Data(0, 100, "abc", 50);
  w.Ack(1, 50, 103);
  w.Flush();
  EXPECT_EQ(w.lines(), (Lines{"0:abc"}));
}

TEST(TcpConnection, MidStreamWhileSegmentsAreInFlight) {
  Wire w({.reorder_window = 4});
  w.Ack(1, 50, 100);          // the other side has 100 of what was sent before the capture began
  w.Data(0, 300, "abc", 50);  // it is farther already: no gap from 100 to 300
  w.Ack(1, 50, 200);
  w.Ack(1, 50, 303);
  w.Ack(1, 50, 303);
  w.Flush();
  EXPECT_EQ(w.lines(), (Lines{"0:abc"}));
}

TEST(TcpConnection, OneDirection) {
  Wire w({.reorder_window = 4});
  w.Flags(0, kSyn, -1, 0);
  w.Ack(0, 0, 0);
  w.Data(0, 0, "abc", 20);
  w.Data(0, 3, "def", 40);
  EXPECT_TRUE(w.lines().empty());  // the other may still come
  w.Data(0, 6, "ghi", 60);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:def", "0:ghi"}));
  w.Data(0, 9, "jkl", 80);
  w.Data(0, 20, "xyz", 90);  // a hole, which nobody will acknowledge
  for (int i = 0; i < 3; ++i) w.Data(0, 23 + i, "+", 90);
  EXPECT_EQ(w.lines().back(), "0:jkl");
  w.Data(0, 26, "+", 90);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:def", "0:ghi", "0:jkl", "0:gap 12+8", "0:xyz", "0:+", "0:+", "0:+", "0:+"}));
  EXPECT_FALSE(w.connection.present(1));
  w.Flush();
  EXPECT_EQ(w.lines().back(), "0:+");
}

TEST(TcpConnection, OneDirectionAtTheEndOfTheCapture) {
  Wire w;
  w.Flags(0, kSyn, -1, 0);
  w.Data(0, 0, "abc", 20);
  w.Data(0, 6, "ghi", 40);
  w.Ack(0, 12, 60);
  w.Flush();
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:gap 3+3", "0:ghi", "0:gap 9+3"}));
  EXPECT_EQ(w.budget.used, 0u);
}

TEST(TcpConnection, OtherDirectionComesLater) {
  Wire w({.reorder_window = 2});
  w.Flags(0, kSyn, -1, 0);
  for (int i = 0; i < 4; ++i) w.Data(0, i, "+", 10);
  w.Data(1, 14, "late", 4);
  w.Data(1, 10, "not ", 4);
  w.Data(0, 4, "more", 18);
  EXPECT_EQ(w.lines(), (Lines{"0:+", "0:+", "0:+", "0:+", "1:not ", "1:late", "0:more"}));
}

}  // namespace
}  // namespace glasspost::capture
