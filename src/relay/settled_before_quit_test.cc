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
  bool holds = true;

  void Settle(std::string owner, std::vector<store::Outcome> outcomes, std::vector<store::JourneyEvent> events,
              store::Done<std::vector<bool>> done) override {
    if (!holds) return PassingQueue::Settle(std::move(owner), std::move(outcomes), std::move(events), std::move(done));
    auto call = [this, owner, outcomes, events, done = std::make_shared<store::Done<std::vector<bool>>>(std::move(done))] {
      PassingQueue::Settle(owner, outcomes, events, std::move(*done));
    };
    held_.emplace_back(std::move(call));
  }

 private:
  std::vector<std::function<void()>> held_;
};

// A message that is not written until it may be.
class HoldingReceiver final : public store::Receiver {
 public:
  using Held = std::vector<std::function<void()>>;
  HoldingReceiver(std::unique_ptr<store::Receiver> real, Held& held) : real_(std::move(real)), held_(held) {}
  store::MessageId id() const override { return real_->id(); }
  bool Append(Octets octets, store::Done<void> done) override { return real_->Append(octets, std::move(done)); }
  std::uint64_t size() const override { return real_->size(); }
  void Commit(store::Plan plan, store::Done<store::Accepted> done) override {
    held_.emplace_back([this, plan = std::make_shared<store::Plan>(std::move(plan)),
                        done = std::make_shared<store::Done<store::Accepted>>(std::move(done))] {
      real_->Commit(std::move(*plan), std::move(*done));
    });
  }

 private:
  std::unique_ptr<store::Receiver> real_;
  Held& held_;
};

class HoldingStore final : public test::PassingStore<Holding> {
 public:
  using PassingStore::PassingStore;
  std::unique_ptr<store::Receiver> Receive(Timestamp now) override {
    auto real = PassingStore::Receive(now);
    if (!hold_messages) return real;
    return std::make_unique<HoldingReceiver>(std::move(real), messages);
  }
  bool hold_messages = false;
  HoldingReceiver::Held messages;
};

class SettledBeforeQuit : public RelayTest {
 protected:
  SettledBeforeQuit() {
    auto holding = std::make_unique<HoldingStore>(std::move(store_));
    holding_ = holding.get();
    held_ = &holding->queue();
    store_ = std::move(holding);
    RouteTo("far.test", host_.port());
    options_.limits.messages = 1;
  }
  RawHost host_{net_};
  HoldingStore* holding_;
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

TEST_F(SettledBeforeQuit, WithItsReportOfSuccess) {
  Begin();
  Mail mail;
  mail.notify = 2;
  Queue(mail);
  held_->holds = false;
  holding_->hold_messages = true;
  ASSERT_TRUE(Until([&] { return holding_->messages.size() == 1; }));
  EXPECT_FALSE(Until([&] { return host_.heard["QUIT"] > 0; }, 300ms));
  holding_->hold_messages = false;
  for (const auto& commit : holding_->messages) commit();
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
