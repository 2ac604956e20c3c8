#include "server/room_policy.h"

#include <gtest/gtest.h>

namespace glasspost::server {
namespace {

class StillClock final : public Clock {
 public:
  Timestamp Now() const override { return now; }
  std::int64_t Steady() const override { return now; }
  std::int64_t now = 1;
};

class RoomPolicyTest : public testing::Test {
 protected:
  // What a MAIL that declares `size` is answered; 0: a yes.
  int Ask(std::uint64_t size) {
    SmtpFacts facts;
    facts.size = size;
    PolicyLater later;
    return policy_.AtMail(facts, later)->answer.code;
  }

  store::StoreState state_{.room = 1000};
  int asked_ = 0;
  StillClock clock_;
  RoomPolicy policy_{[this] {
                       ++asked_;
                       return state_;
                     },
                     clock_};
};

TEST_F(RoomPolicyTest, AFullDiskIsToldAtMail) {
  state_ = {.full = true, .room = 1000};  // the last change failed
  SmtpFacts facts;
  PolicyLater later;
  const smtp::Answer answer = policy_.AtMail(facts, later)->answer;
  EXPECT_EQ(std::to_string(answer.code) + " " + answer.enhanced + " " + answer.text, "452 4.3.1 Insufficient system storage");
}

TEST_F(RoomPolicyTest, WhatIsDeclaredMustFit) {
  EXPECT_EQ(Ask(1000), 0);
  EXPECT_EQ(Ask(1001), 452);
  EXPECT_EQ(Ask(0), 0);
}

TEST_F(RoomPolicyTest, RoomIsBelievedForASecondAndWantOfItNever) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Ask(10), 0);
  EXPECT_EQ(asked_, 1);
  state_ = {.full = true, .room = 0};
  clock_.now += RoomPolicy::kBelieved - 1;
  EXPECT_EQ(Ask(10), 0);
  clock_.now += 1;
  EXPECT_EQ(Ask(10), 452);
  EXPECT_EQ(Ask(10), 452);
  EXPECT_EQ(asked_, 3);
  state_ = {.room = 1000};
  EXPECT_EQ(Ask(10), 0);
}

TEST_F(RoomPolicyTest, NothingElseIsAsked) {
  EXPECT_TRUE(policy_.Asks(PolicyStep::kMail));
  for (const PolicyStep step :
       {PolicyStep::kConnect, PolicyStep::kHello, PolicyStep::kAuth, PolicyStep::kRecipient, PolicyStep::kEnd})
    EXPECT_FALSE(policy_.Asks(step));
}

}  // namespace
}  // namespace glasspost::server
