#include "base/journey.h"

#include <gtest/gtest.h>

namespace glasspost {
namespace {

TEST(Journey, DetailsHoldAnyOctets) {
  std::string details;
  AppendDetail(details, "reply", "250 2.0.0 ok");
  AppendDetail(details, "answer", Octets("\0:5:x", 5));
  AppendDetail(details, "", "");
  EXPECT_EQ(FindDetail(details, "reply"), "250 2.0.0 ok");
  EXPECT_EQ(FindDetail(details, "answer"), Octets("\0:5:x", 5));
  EXPECT_EQ(FindDetail(details, "host"), "");
  Octets rest = details, name, value;
  int count = 0;
  while (TakeDetail(rest, name, value)) ++count;
  EXPECT_EQ(count, 3);
  EXPECT_TRUE(rest.empty());
}

TEST(Journey, DamagedDetailsEnd) {
  for (const char* damaged : {"5", "5:", "9:reply", "-1:a1:b", "1:a", "1:a9:b", "99999999999999999999:a1:b", ":a", "x"}) {
    Octets rest = damaged, name, value;
    EXPECT_FALSE(TakeDetail(rest, name, value)) << damaged;
    EXPECT_EQ(rest, damaged);
  }
}

TEST(Journey, KindsHaveNamesAndNumbers) {
  EXPECT_EQ(Name(JourneyKind::kAccepted), "accepted");
  EXPECT_EQ(Name(JourneyKind::kDropped), "dropped");
  EXPECT_EQ(JourneyKindOf(10), JourneyKind::kBounced);
  EXPECT_EQ(JourneyKindOf(17), JourneyKind::kDropped);
  EXPECT_FALSE(JourneyKindOf(0));
  EXPECT_FALSE(JourneyKindOf(18));
  EXPECT_FALSE(JourneyKindOf(-1));
}

}  // namespace
}  // namespace glasspost
