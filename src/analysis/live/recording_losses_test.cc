#include "analysis/live/recording_losses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace glasspost::analysis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Pair = std::pair<std::uint64_t, std::uint64_t>;

std::vector<Pair> Named(const RecordingLosses::Taken& taken) {
  std::vector<Pair> all;
  for (const LostOctets& lost : taken.sessions) all.emplace_back(lost.session, lost.octets);
  return all;
}

TEST(RecordingLosses, ASessionIsToldOfAtItsFirstLossAndAtItsEnd) {
  RecordingLosses losses;
  losses.Add(7, RecordingLoss::kSession, 100);
  losses.Add(7, RecordingLoss::kQueue, 10);
  losses.Add(3, RecordingLoss::kFile, 0, 28);
  losses.End(9);  // lost nothing
  const auto first = losses.Take(10);
  EXPECT_THAT(Named(first), ElementsAre(Pair(3, 0), Pair(7, 110)));
  EXPECT_EQ(first.sessions[0].error, 28);
  EXPECT_EQ(first.sessions[1].why, RecordingLoss::kSession);
  for (int i = 0; i < 3; ++i) {
    losses.Add(7, RecordingLoss::kSession, 1000);
    EXPECT_THAT(losses.Take(10).sessions, IsEmpty());
  }
  losses.End(7);
  losses.End(3);  // there was no more to tell of
  EXPECT_THAT(Named(losses.Take(10)), ElementsAre(Pair(7, 3000)));
  EXPECT_THAT(losses.Take(10).sessions, IsEmpty());
}

TEST(RecordingLosses, ManySessionsAreAFewLines) {
  RecordingLosses losses;
  for (std::uint64_t n = 1; n <= 6; ++n) losses.Add(n, RecordingLoss::kFile, 10);
  const auto taken = losses.Take(5);
  EXPECT_EQ(taken.sessions.size(), 5u);
  EXPECT_EQ(std::pair(taken.others, taken.other_octets), (Pair(1, 10)));
  EXPECT_EQ(losses.Take(5).others, 0u);
}

TEST(RecordingLosses, NoMoreAreKeptThanTheLimit) {
  RecordingLosses losses;
  for (std::uint64_t n = 1; n <= RecordingLosses::kSessions + 1; ++n) losses.Add(n, RecordingLoss::kQueue, 3);
  losses.Add(1, RecordingLoss::kQueue, 3);
  const auto taken = losses.Take(RecordingLosses::kSessions + 1);
  EXPECT_EQ(taken.sessions.size(), RecordingLosses::kSessions);
  EXPECT_EQ(taken.sessions[0].octets, 6u);
  EXPECT_EQ(std::pair(taken.others, taken.other_octets), (Pair(1, 3)));
}

}  // namespace
}  // namespace glasspost::analysis
