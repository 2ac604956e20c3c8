// A conversation ends well only after what it handed over is written down.
#include "relay/test_store.h"
#include "relay/test_support.h"

namespace glasspost::relay {
namespace {

using namespace std::chrono_literals;
using test::RawHost;
using test::RelayTest;

// A queue whose outcomes are not written until they may be.
class Holding final : public test::PassingQueue {
 public:
  using PassingQueue::PassingQueue;
  void LetGo() {
    for (auto& call : std::exchange(held_, {})) call();
  }
  std::size_t held() const { return held_.size(); }

  void Settle(std::string owner, std::vector<store::Outcome> outcomes, std::vector<store::JourneyEvent> events,
              store::Done<std::vector<bool>> done) override {
    auto call = [this, owner, outcomes, events, done = std::make_shared<store::Done<std::vector<bool>>>(std::move(done))] {
      PassingQueue::Settle(owner, outcomes, events, std::move(*done));
    };
    held_.emplace_back(std::move(call));
  }

 private:
  std::vector<std::function<void()>> held_;
};

class SettledBeforeQuit : public RelayTest {
 protected:
  SettledBeforeQuit() {
    auto holding = std::make_unique<test::PassingStore<Holding>>(std::move(store_));
    held_ = &holding->queue();
    store_ = std::move(holding);
    RouteTo("far.test", host_.port());
    options_.limits.messages = 1;
  }
  RawHost host_{net_};
  Holding* held_;
};

TEST_F(SettledBeforeQuit, AfterTheLastMessageOfAConnection) {
  Begin();
  Queue({});
  ASSERT_TRUE(Until([&] { return held_->held() == 1; }));
  EXPECT_FALSE(Until([&] { return host_.heard["QUIT"] > 0; }, 300ms));
  held_->LetGo();
  EXPECT_TRUE(Until([&] { return host_.heard["QUIT"] == 1; }));
  EXPECT_TRUE(QueueEmpties());
}

TEST_F(SettledBeforeQuit, AStopWaitsForIt) {
  Begin();
  Queue({});
  ASSERT_TRUE(Until([&] { return held_->held() == 1; }));
  bool stopped = false;
  relay_->Stop(10ms, [&] { stopped = true; });
  EXPECT_FALSE(Until([&] { return stopped; }, 200ms));
  EXPECT_EQ(host_.heard["QUIT"], 0);
  held_->LetGo();
  EXPECT_TRUE(Until([&] { return stopped; }));
  EXPECT_TRUE(Entries().empty());
  relay_.reset();
}

}  // namespace
}  // namespace glasspost::relay
