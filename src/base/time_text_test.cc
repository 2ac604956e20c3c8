#include "base/time_text.h"

#include <gtest/gtest.h>

namespace glasspost {
namespace {

std::string Rfc3339(Timestamp t) {
  std::string s;
  AppendRfc3339(s, t);
  return s;
}
std::string Ms(std::int64_t ns) {
  std::string s;
  AppendMilliseconds(s, ns);
  return s;
}

TEST(TimeText, Rfc3339) {
  EXPECT_EQ(Rfc3339(0), "1970-01-01T00:00:00.000000000Z");
  EXPECT_EQ(Rfc3339(1'795'000'000'123'456'789), "2026-11-18T11:06:40.123456789Z");
  EXPECT_EQ(Rfc3339(-1), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(Rfc3339(1'709'164'800'000'000'000), "2024-02-29T00:00:00.000000000Z");
}

TEST(TimeText, Rfc3339OfSeconds) {
  const auto text = [](std::int64_t seconds) {
    std::string s;
    AppendRfc3339Seconds(s, seconds);
    return s;
  };
  EXPECT_EQ(text(1'795'000'000), "2026-11-18T11:06:40Z");
  EXPECT_EQ(text(253'402'300'799), "9999-12-31T23:59:59Z");
  EXPECT_EQ(text(253'402'300'800), "9999-12-31T23:59:59Z");
  EXPECT_EQ(text(-62'167'219'201), "0000-01-01T00:00:00Z");
}

TEST(TimeText, Milliseconds) {
  EXPECT_EQ(Ms(0), "0");
  EXPECT_EQ(Ms(250'000), "0.25");
  EXPECT_EQ(Ms(1), "0.000001");
  EXPECT_EQ(Ms(-1'500'000), "-1.5");
  EXPECT_EQ(Ms(1'203'000'000), "1203");
}

TEST(TimeText, Durations) {
  EXPECT_EQ(DurationText(250'000), "0.25 ms");
  EXPECT_EQ(DurationText(1'234'000'000), "1.2 s");
  EXPECT_EQ(DurationText(200'000'000'000), "3 min 20 s");
  EXPECT_EQ(SecondsText(5'001'000'000), "5.0 s");
  EXPECT_EQ(SecondsText(3'600'000'000'000), "3600.0 s");
}

TEST(TimeText, Rfc5322) {
  const auto text = [](Timestamp time) {
    std::string out;
    AppendRfc5322(out, time);
    return out;
  };
  EXPECT_EQ(text(0), "Thu, 01 Jan 1970 00:00:00 +0000");
  EXPECT_EQ(text(1'795'000'000'000'000'000), "Wed, 18 Nov 2026 11:06:40 +0000");
  EXPECT_EQ(text(951'827'696'999'999'999), "Tue, 29 Feb 2000 12:34:56 +0000");
  EXPECT_EQ(text(-1), "Wed, 31 Dec 1969 23:59:59 +0000");
}

}  // namespace
}  // namespace glasspost
