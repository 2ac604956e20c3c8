#include "analysis/capture_clock.h"

#include <gtest/gtest.h>

#include <limits>

namespace glasspost::analysis {
namespace {

constexpr Timestamp kSecond = 1'000'000'000, kHour = 3600 * kSecond, kStart = 1'700'000'000 * kSecond;

TEST(CaptureClock, FollowsTheFrames) {
  CaptureClock clock;
  EXPECT_EQ(clock.Read(kStart), kStart);
  EXPECT_EQ(clock.now(), kStart);
  EXPECT_EQ(clock.Read(kStart + kSecond), kStart + kSecond);
  EXPECT_EQ(clock.now(), kStart + kSecond);
  EXPECT_EQ(clock.Read(kStart), kStart + kSecond) << "captured out of order";
  EXPECT_EQ(clock.Read(kStart + 24 * kHour), kStart + 24 * kHour) << "a quiet day";
  EXPECT_EQ(clock.now(), kStart + 24 * kHour);
}

TEST(CaptureClock, OneFrameFromTheFutureDoesNotMoveIt) {
  CaptureClock clock;
  clock.Read(kStart);
  EXPECT_EQ(clock.Read(kStart + 25 * kHour), kStart + 25 * kHour);
  EXPECT_EQ(clock.now(), kStart);
  EXPECT_EQ(clock.Read(kStart + kSecond), kStart + kSecond);
  EXPECT_EQ(clock.now(), kStart + kSecond);
  clock.Read(kStart + 25 * kHour);
  clock.Read(kStart + 25 * kHour + kSecond);
  EXPECT_EQ(clock.now(), kStart + 25 * kHour) << "but two in a row do";
}

TEST(CaptureClock, OneFrameFromThePastDoesNotEither) {
  CaptureClock clock;
  clock.Read(kStart);
  clock.Read(kStart + kSecond);
  EXPECT_EQ(clock.Read(0), kStart + kSecond);
  EXPECT_EQ(clock.Read(kStart + 2 * kSecond), kStart + 2 * kSecond);
  EXPECT_EQ(clock.now(), kStart + 2 * kSecond);
}

TEST(CaptureClock, AnOlderCaptureGoesOnBehindTheNewerOne) {
  CaptureClock clock;
  clock.Read(kStart);
  clock.Read(kStart + kSecond);
  const Timestamp now = clock.now();
  EXPECT_EQ(clock.Read(kStart - 100 * kHour), now);
  const Timestamp first = clock.Read(kStart - 100 * kHour + kSecond);
  EXPECT_EQ(first, now + kHour);
  EXPECT_EQ(clock.Read(kStart - 100 * kHour + 3 * kSecond), first + 2 * kSecond);
  EXPECT_EQ(clock.now(), first + 2 * kSecond);
}

TEST(CaptureClock, NeverGoesBackWhateverItReads) {
  CaptureClock clock;
  std::uint64_t state = 1;
  Timestamp before = 0;
  for (int i = 0; i < 100'000; ++i) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    auto time = static_cast<Timestamp>(state >> (state >> 58));
    if (i % 7 == 0) time = std::numeric_limits<Timestamp>::min();
    if (i % 11 == 0) time = std::numeric_limits<Timestamp>::max();
    const Timestamp seen = clock.Read(time);
    ASSERT_GE(seen, clock.now());
    ASSERT_GE(clock.now(), before);
    before = clock.now();
  }
}

}  // namespace
}  // namespace glasspost::analysis
