#include "relay/schedule.h"

#include <gtest/gtest.h>

namespace glasspost::relay {
namespace {

constexpr std::uint64_t kLow = 0, kHigh = ~0ull, kMiddle = ~0ull / 2;
constexpr std::int64_t kHour = 3600 * kSecond;

TEST(Schedule, DelaysGrowUpToTheMost) {
  const RetryOptions options;
  EXPECT_EQ(DelayAfter(options, 1, kMiddle) / kSecond, 300);
  EXPECT_EQ(DelayAfter(options, 2, kMiddle) / kSecond, 600);
  EXPECT_EQ(DelayAfter(options, 3, kMiddle) / kSecond, 1200);
  EXPECT_EQ(DelayAfter(options, 6, kMiddle) / kSecond, 9600);
  EXPECT_EQ(DelayAfter(options, 7, kMiddle) / kSecond, 4 * 3600);
  EXPECT_EQ(DelayAfter(options, 10'000, kMiddle) / kSecond, 4 * 3600);
  EXPECT_EQ(DelayAfter(options, 0, kMiddle) / kSecond, 300);
}

TEST(Schedule, JitterStaysWithinItsBounds) {
  const RetryOptions options;
  EXPECT_EQ(DelayAfter(options, 1, kLow) / kSecond, 240);
  EXPECT_EQ(DelayAfter(options, 1, kHigh) / kSecond, 360);
}

TEST(Schedule, NonsensicalOptionsStillGiveADelay) {
  EXPECT_GE(DelayAfter({.first = 0, .growth = 0, .most = 0, .jitter = 7}, 3, kLow), kSecond);
}

// A message that is never taken, on virtual time: how often it is tried, when its sender hears of it, when it ends.
TEST(Schedule, LifeOfAMessageThatNobodyTakes) {
  const RetryOptions options;
  const Timestamp arrived = 1'700'000'000 * kSecond;
  Timestamp now = arrived, told = 0;
  std::int64_t longest = 0;
  int attempts = 0, notices = 0;
  std::uint64_t random = 1;
  while (true) {
    random = random * 6364136223846793005ull + 1442695040888963407ull;
    const Retry retry = AfterAttempt(options, arrived, ++attempts, now, told, random);
    if (retry.give_up) break;
    if (retry.tell_delay) ++notices, told = now;
    ASSERT_GT(retry.due, now);
    longest = std::max(longest, retry.due - now);
    now = retry.due;
  }
  EXPECT_EQ(now, arrived + 5 * 24 * kHour);  // the last attempt is at the very end
  EXPECT_EQ(notices, 1);
  EXPECT_GE(told - arrived, 4 * kHour);
  EXPECT_LE(told - arrived, 9 * kHour);
  EXPECT_GT(attempts, 25);
  EXPECT_LT(attempts, 60);
  EXPECT_LE(longest, 4 * kHour * 12 / 10);
}

TEST(Schedule, NoNoticeIfNoneIsWanted) {
  RetryOptions options;
  options.delay_notice = 0;
  EXPECT_FALSE(AfterAttempt(options, 0, 9, 48 * kHour, 0, kMiddle).tell_delay);
  EXPECT_FALSE(AfterAttempt({}, 0, 9, 48 * kHour, 1, kMiddle).tell_delay);
  EXPECT_TRUE(AfterAttempt({}, 0, 9, 48 * kHour, 0, kMiddle).tell_delay);
}

}  // namespace
}  // namespace glasspost::relay
