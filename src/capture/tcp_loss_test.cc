// TCP reassembly where something is lost or a bound is reached, case by case. Positions are stream positions (see
// tcp_test_support.h).
#include <gtest/gtest.h>

#include <utility>

#include "capture/held_segments.h"
#include "capture/tcp_connection.h"
#include "capture/tcp_test_support.h"

namespace glasspost::capture {
namespace {

using test::Lines;
using test::Record;
using test::Wire;

constexpr std::int64_t kGiB = std::int64_t{1} << 30;

TEST(TcpLoss, AcknowledgedHoleIsDeclaredAfterTheWindow) {
  Wire w({.reorder_window = 8});
  w.Handshake();
  w.Data(0, 0, "abc", 0);
  w.Data(0, 6, "ghi", 0);
  for (int i = 0; i < 100; ++i) w.Ack(1, 0, 3);  // the hole alone is no reason
  EXPECT_EQ(w.lines(), (Lines{"0:abc"}));
  w.Ack(1, 0, 9);
  for (int i = 0; i < 7; ++i) w.Ack(1, 0, 9);
  EXPECT_EQ(w.lines(), (Lines{"0:abc"}));
  w.Ack(1, 0, 9);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:gap 3+3", "0:ghi"}));
  w.Data(0, 3, "def", 0);  // too late; it was not told before, so it is no retransmission either
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:gap 3+3", "0:ghi"}));
}

TEST(TcpLoss, HoleIsFilledWithinTheWindow) {
  Wire w({.reorder_window = 8});
  w.Handshake();
  w.Data(0, 3, "def", 0);
  w.Ack(1, 0, 6);
  w.Idle(7, 6, 0);
  w.Data(0, 0, "abc", 0);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:def"}));
}

TEST(TcpLoss, LostCommandItsReplyAndTheRest) {
  Wire w;
  w.Handshake();
  w.Data(0, 0, "c1.", 0);
  w.Data(1, 0, "r1.", 3);
  w.Data(1, 3, "r2.", 6);  // c2 was lost
  w.Data(0, 6, "c3.", 6);
  w.Data(1, 6, "r3.", 9);
  w.Flush();
  EXPECT_EQ(w.lines(), (Lines{"0:c1.", "1:r1.", "0:gap 3+3", "1:r2.", "0:c3.", "1:r3."}));
}

TEST(TcpLoss, LostTail) {
  Wire w({.reorder_window = 4});
  w.Handshake();
  w.Data(0, 0, "abc", 0);
  w.Ack(1, 0, 20);
  w.Idle(3, 20, 0);
  EXPECT_EQ(w.lines(), (Lines{"0:abc"}));
  w.Idle(1, 20, 0);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:gap 3+17"}));
}

TEST(TcpLoss, LostTailAtTheEndOfTheCapture) {
  Wire w;
  w.Handshake();
  w.Data(0, 0, "abc", 0);
  w.Ack(1, 0, 20);
  w.Flush();
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:gap 3+17"}));
}

TEST(TcpLoss, ClosedWhileAHoleIsWaitedFor) {
  Wire w;
  w.Handshake();
  w.Data(0, 3, "QUIT", 0, kFin);
  w.Data(1, 0, "221", 8, kFin);
  EXPECT_FALSE(w.connection.closed());
  w.Ack(0, 8, 4);
  EXPECT_TRUE(w.connection.closed());
  EXPECT_TRUE(w.lines().empty());
  w.Flush();
  EXPECT_EQ(w.lines(), (Lines{"0:gap 0+3", "0:QUIT", "0:fin", "1:221", "1:fin"}));
}

TEST(TcpLoss, LostFinIsNoGap) {
  Wire w({.reorder_window = 4});
  w.Handshake();
  w.Data(0, 0, "QUIT", 0);
  w.Data(1, 0, "221", 5, kFin);
  w.Idle(4, 5, 4);
  w.Flush();
  EXPECT_EQ(w.lines(), (Lines{"0:QUIT", "1:221", "1:fin"}));
}

TEST(TcpLoss, OnlyEmptyPacketsOfOneSide) {
  Wire w({.reorder_window = 2});
  w.Handshake();
  for (int i = 0; i < 4; ++i) {
    w.Data(0, i * 3, "c" + std::to_string(i) + ".", 10 + i * 10);  // the reply that it acknowledges is not in the capture
    EXPECT_EQ(w.lines().size(), static_cast<std::size_t>(i) * 2);
    w.Ack(1, 10 + i * 10, 3 + i * 3);
    w.Ack(1, 10 + i * 10, 3 + i * 3);
  }
  EXPECT_EQ(w.lines(), (Lines{"1:gap 0+10", "0:c0.", "1:gap 10+10", "0:c1.", "1:gap 20+10", "0:c2.", "1:gap 30+10", "0:c3."}));
  w.Data(0, 12, "c4.", 50);  // from now on nothing waits
  EXPECT_EQ(w.lines().back(), "0:c4.");
  w.Data(1, 50, "r5.", 15);
  w.Data(0, 15, "c5.", 60);
  EXPECT_EQ(w.lines().back(), "1:r5.");
}

TEST(TcpLoss, CutBySnapLength) {
  Wire w;
  w.Handshake();
  Packet p = w.Make(0, 0, 0, kAck);
  Wire::SetOctets(p, "abc");
  p.payload_length = 10;
  w.Put(0, p);
  w.Data(0, 10, "xyz", 0);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:gap 3+7", "0:xyz"}));
  p.sequence += 16;
  w.Put(0, p);  // the same out of order, and a whole copy of its tail
  w.Data(0, 20, "EFG", 0);
  w.Data(0, 13, "...", 0);
  EXPECT_EQ(w.told.streams[0], "abc???????xyz...abc?EFG???");
}

// A frame whose IP header says no length may claim gigabytes.
TEST(TcpLoss, NoSegmentIsLongerThanOneCanBe) {
  constexpr std::uint32_t kLongest = 1 << 20;
  for (const std::uint32_t length : {kLongest, kLongest + 1, 0xffff'ff00u}) {
    Wire w;
    w.Handshake();
    Packet p = w.Make(0, 0, 0, kAck);
    Wire::SetOctets(p, "abc");
    p.payload_length = length;
    w.Put(0, p);
    EXPECT_EQ(w.lines(), length == kLongest ? (Lines{"0:abc", "0:gap 3+1048573"}) : Lines{}) << length;
  }
}

TEST(TcpLoss, NothingOfThePayloadCaptured) {
  Wire w;
  w.Handshake();
  Packet p = w.Make(0, 0, 0, kAck);
  p.payload_length = 10;
  w.Put(0, p);
  p.sequence += 20;
  w.Put(0, p);
  p.sequence -= 10;
  w.Put(0, p);
  EXPECT_EQ(w.lines(), (Lines{"0:gap 0+10", "0:gap 10+10", "0:gap 20+10"}));
}

TEST(TcpLoss, AbsurdNumbersMakeNoGap) {
  Wire w({.reorder_window = 2});
  w.Handshake();
  w.Data(0, 0, "abc", kGiB + 1);
  w.Ack(1, 0, 3 + kGiB + 1);
  w.Ack(1, 0, -kGiB);
  w.Data(0, kGiB + 4, "far", 0);
  w.Data(0, -kGiB, "far", 0);
  w.Idle(10, 3, 0);
  w.Flush();
  EXPECT_EQ(w.lines(), (Lines{"0:abc"}));
}

TEST(TcpLoss, ContradictedAcknowledgementIsNotBelieved) {
  Wire w({.reorder_window = 4});
  w.Handshake();
  w.Data(0, 0, "abc", 0);
  w.Data(1, 0, "xyz", 1000000);  // damaged: its receiver has not sent that much
  for (int i = 0; i < 10; ++i) w.Data(0, 3 + i, "+", 0);
  w.Data(1, 3, "!", 13);
  w.Flush();
  EXPECT_EQ(w.told.streams[0], "abc++++++++++");
  EXPECT_EQ(w.told.streams[1], "xyz!");
}

TEST(TcpLoss, NothingCanBeAcknowledgedBeyondTheFin) {
  Wire w({.reorder_window = 2});
  w.Handshake();
  w.Data(1, 0, "221", 100);
  w.Data(0, 0, "abc", 0, kFin);
  w.Ack(1, 3, 100);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:fin", "1:221"}));
  w.Idle(4, 4, 3);
  w.Flush();
  EXPECT_EQ(w.lines().size(), 3u);
}

TEST(TcpLoss, EachWaitsForTheOther) {
  Wire w;
  w.Handshake();
  w.Data(0, 0, "abc", 3);
  w.Data(1, 0, "xyz", 3);
  EXPECT_TRUE(w.lines().empty());
  w.Flush();
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "1:xyz"}));
}

TEST(TcpLoss, EachWaitsForTheOtherNoLongerThanTheWindow) {
  Wire w({.reorder_window = 4});
  w.Handshake();
  w.Data(1, 0, "xyz", 3);
  w.Data(0, 0, "abc", 3);
  for (int i = 0; i < 3; ++i) w.Ack(0, 3, 3);
  EXPECT_TRUE(w.lines().empty());
  w.Ack(0, 3, 3);
  EXPECT_EQ(w.lines(), (Lines{"1:xyz", "0:abc"}));
}

TEST(TcpLoss, HeldOctetsAtTheLimitAndOnePast) {
  Wire w({.held_octets = 10});
  w.Handshake();
  w.Data(0, 5, "01234", 0);
  w.Data(1, 5, "abcde", 0);
  EXPECT_TRUE(w.lines().empty());
  EXPECT_EQ(w.connection.held_octets(), 10u);
  w.Data(0, 20, "!", 0);
  EXPECT_EQ(w.lines(), (Lines{"0:gap 0+5", "0:01234"}));
  EXPECT_EQ(w.connection.held_octets(), 6u);
}

TEST(TcpLoss, HeldSegmentsAtTheLimitAndOnePast) {
  Wire w({.held_segments = 3});
  w.Handshake();
  for (int i = 1; i <= 3; ++i) w.Data(0, i * 2, "x", 0);
  EXPECT_TRUE(w.lines().empty());
  w.Data(0, 8, "x", 0);
  EXPECT_EQ(w.lines(), (Lines{"0:gap 0+2", "0:x"}));
}

TEST(TcpLoss, BudgetOfAllConnectionsAtTheLimitAndOnePast) {
  constexpr std::size_t kPiece = HeldSegments::kPieceCost;
  Wire w({}, kPiece + 10);
  w.budget.used = 5;  // others'
  w.Handshake();
  w.Data(0, 5, "01234", 0);
  EXPECT_TRUE(w.lines().empty());
  EXPECT_EQ(w.budget.used, kPiece + 10);
  w.Data(0, 20, "!", 0);
  EXPECT_EQ(w.lines(), (Lines{"0:gap 0+5", "0:01234"}));
  EXPECT_EQ(w.budget.used, kPiece + 6);
  w.budget.used = kPiece + 11;  // 10 of others
  w.Data(0, 22, "!", 0);
  EXPECT_EQ(w.lines(), (Lines{"0:gap 0+5", "0:01234", "0:gap 10+10", "0:!", "0:gap 21+1", "0:!"}));
  EXPECT_EQ(w.budget.used, 10u);
}

TEST(TcpLoss, BudgetIsGivenBack) {
  const TcpLimits limits;
  ReassemblyBudget budget{1000, 0};
  Wire w;
  Record told;
  {
    TcpConnection first(limits, budget);
    Packet p = w.Make(0, 10, 0, kAck);
    Wire::SetOctets(p, "abc");
    first.Add(0, p, told);
    EXPECT_EQ(budget.used, 3 + HeldSegments::kPieceCost);
    TcpConnection second(std::move(first));
    EXPECT_EQ(budget.used, 3 + HeldSegments::kPieceCost);
    second.Flush({}, told);
    EXPECT_EQ(budget.used, 0u);
    second.Add(0, w.Make(0, 13, 0, kAck), told);
    p.sequence += 10;
    second.Add(0, p, told);
    EXPECT_EQ(budget.used, 3 + HeldSegments::kPieceCost);
  }
  EXPECT_EQ(budget.used, 0u);
}

TEST(TcpLoss, FlushTellsHoldsAndGapsInCausalOrder) {
  Wire w;
  w.Handshake();
  w.Data(0, 10, "c2", 0);
  w.Data(1, 10, "r2", 12);
  w.Data(0, 30, "c4", 12, kFin);
  w.Flush();
  EXPECT_EQ(w.lines(), (Lines{"0:gap 0+10", "0:c2", "1:gap 0+10", "1:r2", "0:gap 12+18", "0:c4", "0:fin"}));
  EXPECT_EQ(w.budget.used, 0u);
}

TEST(TcpLoss, WindowOfZeroWaitsForNothing) {
  Wire w({.reorder_window = 0});
  w.Data(0, 0, "abc", 5);
  w.Data(0, 6, "ghi", 5);
  EXPECT_EQ(w.lines(), (Lines{"0:abc", "0:gap 3+3", "0:ghi"}));
}

}  // namespace
}  // namespace glasspost::capture
