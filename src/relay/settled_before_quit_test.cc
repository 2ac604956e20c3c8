// A conversation ends well only after what it handed over is written down.
#include "relay/test_support.h"

namespace glasspost::relay {
namespace {

using namespace std::chrono_literals;
using test::RawHost;
using test::RelayTest;

// A queue whose outcomes are not written until they may be.
class Holding final : public store::Queue {
 public:
  explicit Holding(store::Queue& real) : real_(real) {}
  void LetGo() {
    for (auto& call : std::exchange(held_, {})) call();
  }
  std::size_t held() const { return held_.size(); }

  void ClaimDue(store::Claim claim, store::Done<std::vector<store::Entry>> done) override {
    real_.ClaimDue(std::move(claim), std::move(done));
  }
  void Renew(std::vector<store::EntryId> entries, store::Lease lease, store::Done<void> done) override {
    real_.Renew(std::move(entries), std::move(lease), std::move(done));
  }
  void NextDue(std::vector<std::string> skip, store::Done<Timestamp> done) override {
    real_.NextDue(std::move(skip), std::move(done));
  }
  void Settle(std::string owner, std::vector<store::Outcome> outcomes, std::vector<store::JourneyEvent> events,
              store::Done<std::vector<bool>> done) override {
    auto call = [this, owner, outcomes, events, done = std::make_shared<store::Done<std::vector<bool>>>(std::move(done))] {
      real_.Settle(owner, outcomes, events, std::move(*done));
    };
    held_.emplace_back(std::move(call));
  }
  void List(store::QueueSelection selection, store::Done<std::vector<store::Entry>> done) override {
    real_.List(std::move(selection), std::move(done));
  }
  void Count(store::Done<store::QueueCounts> done) override { real_.Count(std::move(done)); }
  void Act(store::QueueAction action, store::QueueSelection selection, Timestamp now, store::Done<std::uint64_t> done) override {
    real_.Act(action, std::move(selection), now, std::move(done));
  }
  void ActOn(store::QueueAction action, std::vector<store::EntryId> entries, Timestamp now,
             std::vector<store::JourneyEvent> events, store::Done<std::uint64_t> done) override {
    real_.ActOn(action, std::move(entries), now, std::move(events), std::move(done));
  }

 private:
  store::Queue& real_;
  std::vector<std::function<void()>> held_;
};

class HoldingStore final : public store::Store {
 public:
  explicit HoldingStore(std::unique_ptr<store::Store> real) : real_(std::move(real)) {}
  Holding& holding() { return holding_; }

  store::Directory& directory() override { return real_->directory(); }
  store::Mailboxes& mailboxes() override { return real_->mailboxes(); }
  store::Queue& queue() override { return holding_; }
  store::Journeys& journeys() override { return real_->journeys(); }
  store::Conversations& conversations() override { return real_->conversations(); }
  std::unique_ptr<store::Receiver> Receive(Timestamp now) override { return real_->Receive(now); }
  store::StoreState state() const override { return real_->state(); }
  void Drain() override { real_->Drain(); }

 private:
  std::unique_ptr<store::Store> real_;
  Holding holding_{real_->queue()};
};

class SettledBeforeQuit : public RelayTest {
 protected:
  SettledBeforeQuit() {
    auto holding = std::make_unique<HoldingStore>(std::move(store_));
    held_ = &holding->holding();
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
