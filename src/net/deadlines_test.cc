#include "net/deadlines.h"

#include <gtest/gtest.h>

#include "net/test_support.h"

namespace glasspost::net {
namespace {

using namespace test;

class Alarm final : public Deadline {
 public:
  using Deadline::Arm;
  using Deadline::Disarm;
  int rung = 0;
  std::function<void()> then;

 private:
  void OnDeadline() override {
    ++rung;
    if (then) then();
  }
};

TEST(Deadlines, RingByTheClockThatWasPassedIn) {
  asio::io_context context;
  ManualClock clock;
  Deadlines deadlines(context, clock, 1ms);
  Alarm early;
  Alarm late;
  Alarm never;
  early.Arm(deadlines, 10s);
  late.Arm(deadlines, 600s);
  never.Arm(deadlines, 10s);
  never.Disarm();
  context.run_for(20ms);
  EXPECT_EQ(early.rung, 0);
  clock.now += 10'000'000'000;
  context.run_for(20ms);
  EXPECT_EQ(early.rung, 1);
  EXPECT_EQ(late.rung + never.rung, 0);
  late.Arm(deadlines, 1000s);  // put off
  clock.now += 600'000'000'000;
  context.run_for(20ms);
  EXPECT_EQ(late.rung, 0);
  clock.now += 400'000'000'000;
  context.restart();
  context.run_for(1s);
  EXPECT_EQ(late.rung, 1);
  EXPECT_TRUE(context.stopped()) << "the timer runs only while something is armed";
}

TEST(Deadlines, MayBeArmedAndDisarmedWhileOthersRing) {
  asio::io_context context;
  ManualClock clock;
  Deadlines deadlines(context, clock, 1ms);
  Alarm a;
  Alarm b;
  Alarm c;
  auto gone = std::make_unique<Alarm>();
  a.then = [&] {
    b.Disarm();
    gone.reset();
    c.Arm(deadlines, 5s);
  };
  a.Arm(deadlines, 1s);
  b.Arm(deadlines, 1s);
  gone->Arm(deadlines, 1s);
  clock.now += 2'000'000'000;
  context.run_for(20ms);
  EXPECT_EQ(a.rung, 1);
  EXPECT_EQ(b.rung, 0);
  EXPECT_EQ(c.rung, 0);
  clock.now += 5'000'000'000;
  context.restart();
  context.run_for(100ms);
  EXPECT_EQ(c.rung, 1);
}

}  // namespace
}  // namespace glasspost::net
