#include "capture/held_segments.h"

#include <gtest/gtest.h>

#include <string>

namespace glasspost::capture {
namespace {

// "10:abc 13:??" : offset and octets of each piece, '?' where they are missing.
std::string Text(HeldSegments& held) {
  std::string out;
  while (!held.empty()) {
    const HeldPiece p = held.PopFront();
    if (!out.empty()) out += ' ';
    out += std::to_string(p.offset) + ":" + (p.octets ? std::string(p.octets.get(), p.length) : std::string(p.length, '?'));
  }
  return out;
}

HeldSegments::Overlap Put(HeldSegments& held, std::int64_t offset, const std::string& octets, std::int64_t ack = 0) {
  return held.Insert(offset, static_cast<std::uint32_t>(octets.size()), octets.data(), {ack, 1, {}});
}

TEST(HeldSegments, SortsAndKeepsApart) {
  HeldSegments held;
  Put(held, 20, "cc");
  Put(held, 10, "aa");
  Put(held, 15, "bb");
  EXPECT_EQ(held.size(), 3u);
  EXPECT_EQ(held.octets(), 6u);
  EXPECT_EQ(Text(held), "10:aa 15:bb 20:cc");
  EXPECT_EQ(held.octets(), 0u);
}

TEST(HeldSegments, OldOctetsStay) {
  HeldSegments held;
  Put(held, 10, "OLD");
  Put(held, 16, "OLD");
  const auto overlap = Put(held, 8, "newnewnewnew");
  EXPECT_EQ(overlap.octets, 6u);
  EXPECT_TRUE(overlap.conflict);
  EXPECT_EQ(Text(held), "8:ne 10:OLD 13:wne 16:OLD 19:w");
}

TEST(HeldSegments, SameContentsAreNoConflict) {
  HeldSegments held;
  Put(held, 10, "abcdef");
  const auto overlap = Put(held, 12, "cdefgh");
  EXPECT_EQ(overlap.octets, 4u);
  EXPECT_FALSE(overlap.conflict);
  EXPECT_EQ(Text(held), "10:abcdef 16:gh");
}

TEST(HeldSegments, RealOctetsReplaceMissingOnes) {
  HeldSegments held;
  held.Insert(10, 10, nullptr, {});
  EXPECT_EQ(held.octets(), 0u);
  Put(held, 13, "abc");
  held.Insert(12, 6, nullptr, {});
  EXPECT_EQ(Text(held), "10:??? 13:abc 16:????");
  held.Insert(10, 4, nullptr, {});
  Put(held, 8, "abcd");
  EXPECT_EQ(Text(held), "8:abcd 12:??");
  held.Insert(10, 4, nullptr, {});
  Put(held, 12, "abcd");
  EXPECT_EQ(Text(held), "10:?? 12:abcd");
  held.Insert(10, 4, nullptr, {});
  Put(held, 9, "abcdefg");
  EXPECT_EQ(Text(held), "9:abcdefg");
}

TEST(HeldSegments, WaitsForTheLesserAcknowledgement) {
  HeldSegments held;
  Put(held, 10, "abc", 50);
  Put(held, 10, "abc", 70);
  EXPECT_EQ(held.front().source.acknowledges, 50);
  Put(held, 9, "zabc", 40);
  EXPECT_EQ(held.PopFront().source.acknowledges, 40);
  EXPECT_EQ(held.PopFront().source.acknowledges, 40);
  Put(held, 0, "abcdefghi", 70);
  EXPECT_EQ(Put(held, 3, "def", 50).octets, 3u);
  EXPECT_EQ(held.octets(), 9u);
  EXPECT_EQ(held.PopFront().source.acknowledges, 70);
  EXPECT_EQ(held.PopFront().source.acknowledges, 50);
  EXPECT_EQ(held.octets(), 3u);
  EXPECT_EQ(Text(held), "6:ghi");
}

TEST(HeldSegments, ManyPieces) {
  HeldSegments held;
  for (int i = 999; i >= 0; --i) Put(held, i * 2, "x");
  std::int64_t at = 0;
  for (; !held.empty(); at += 2) ASSERT_EQ(held.PopFront().offset, at);
  EXPECT_EQ(at, 2000);
}

TEST(HeldSegments, Shifts) {
  HeldSegments held;
  Put(held, 10, "abc", 7);
  held.Insert(20, 2, nullptr, {});
  held.ShiftOffsets(5);
  held.ShiftAcknowledgements(-3);
  EXPECT_EQ(held.front().source.acknowledges, 4);
  EXPECT_EQ(held.PopFront().offset, 15);
  EXPECT_EQ(held.front().source.acknowledges, HeldSource::kNoAcknowledgement);
  EXPECT_EQ(Text(held), "25:??");
}

}  // namespace
}  // namespace glasspost::capture
