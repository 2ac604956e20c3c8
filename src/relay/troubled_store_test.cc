// A store that has no room, or gives no answer; a clock that jumps. No message is lost, bounced or sent twice for it.
#include <atomic>
#include <thread>

#include "relay/test_store.h"
#include "relay/test_support.h"

namespace glasspost::relay {
namespace {

using namespace std::chrono_literals;
using test::RawHost;
using test::RelayTest;

// Answers come from another thread, as the store's do.
template <class T>
void RefuseLater(store::Done<T> done, store::Fault fault) {
  std::thread([fault, done = std::move(done)]() mutable { done(store::Refuse(fault, "for the test")); }).detach();
}

class FullQueue final : public test::PassingQueue {
 public:
  using PassingQueue::PassingQueue;
  void ClaimDue(store::Claim claim, store::Done<std::vector<store::Entry>> done) override {
    if (no_claims) return RefuseLater(std::move(done), store::Fault::kFull);
    PassingQueue::ClaimDue(std::move(claim), std::move(done));
  }
  void Settle(std::string owner, std::vector<store::Outcome> outcomes, std::vector<store::JourneyEvent> events,
              store::Done<std::vector<bool>> done) override {
    ++settles;
    if (no_outcomes) return RefuseLater(std::move(done), store::Fault::kFull);
    PassingQueue::Settle(std::move(owner), std::move(outcomes), std::move(events), std::move(done));
  }
  bool no_claims = false, no_outcomes = false;
  int settles = 0;
};

class FailingDirectory final : public test::PassingDirectory {
 public:
  using PassingDirectory::PassingDirectory;
  void Resolve(store::AddressName name, store::Done<store::Resolution> done) override {
    if (failures > 0) {
      --failures;
      return RefuseLater(std::move(done), store::Fault::kFailed);
    }
    PassingDirectory::Resolve(std::move(name), std::move(done));
  }
  std::atomic<int> failures = 0;
};

class TroubledStore : public RelayTest {
 protected:
  TroubledStore() {
    auto store = std::make_unique<test::PassingStore<FullQueue, FailingDirectory>>(std::move(store_));
    queue_ = &store->queue();
    directory_ = &store->directory();
    store_ = std::move(store);
    RouteTo("far.test", host_.port());
  }
  int Sent() { return host_.heard["."]; }

  RawHost host_{net_};
  FullQueue* queue_;
  FailingDirectory* directory_;
};

TEST_F(TroubledStore, ADiskThatIsFullForLongerThanALeaseDoublesNothing) {
  options_.lease = std::chrono::seconds(3);
  Begin();
  queue_->no_outcomes = true;
  Queue({});
  ASSERT_TRUE(Until([&] { return Sent() == 1; }));
  queue_->no_claims = true;
  Until([] { return false; }, 4s);  // the lease is over
  const int settles = queue_->settles;
  ASSERT_TRUE(Until([&] { return queue_->settles > settles; }, 3s));  // this attempt fails; the claim comes before the next
  queue_->no_claims = queue_->no_outcomes = false;
  relay_->Kick();
  EXPECT_FALSE(Until([&] { return Sent() > 1; }, 2s));
  EXPECT_TRUE(QueueEmpties());
}

TEST_F(TroubledStore, StopsWithinItsGraceThoughAnOutcomeCannotBeWritten) {
  Begin();
  queue_->no_outcomes = true;
  Queue({});
  ASSERT_TRUE(Until([&] { return Sent() == 1; }));
  bool stopped = false;
  relay_->Stop(500ms, [&] { stopped = true; });
  EXPECT_TRUE(Until([&] { return stopped; }, 5s));
  EXPECT_EQ(Entries().size(), 1u) << "it is tried again at the next start";
  relay_.reset();
}

TEST_F(TroubledStore, MailOfOurDomainWaitsForTheDirectory) {
  ASSERT_TRUE(resolver_.Add("here.test", dns::kTypeMx, "10 mx.here.test."));  // as others see it: ourselves
  Begin();
  directory_->failures = 1;
  Mail mail;
  mail.to = {"c@here.test"};
  Queue(mail);
  EXPECT_TRUE(Until([&] { return Inbox("c").size() == 1; }, 10s));
  EXPECT_EQ(observer_.bounced(), 0);
}

struct JumpingClock final : Clock {
  std::int64_t Now() const override { return net::SystemClock().Now() + ahead; }
  std::int64_t Steady() const override { return net::SystemClock().Steady(); }
  std::atomic<std::int64_t> ahead = 0;
};

TEST_F(TroubledStore, AClockThatIsSetForwardDoublesNothing) {
  JumpingClock clock;
  net::Deadlines deadlines(net_.context, clock);
  host_.says["."] = "-";  // the host takes its time with the answer
  auto made = Relay::Make(options_, {.context = net_.context,
                                     .deadlines = deadlines,
                                     .store = *store_,
                                     .resolver = resolver_,
                                     .randomness = SystemRandomness(),
                                     .taps = nullptr,
                                     .observer = &observer_});
  ASSERT_TRUE(made);
  relay_ = std::move(*made);
  relay_->Start();
  Queue({});
  ASSERT_TRUE(Until([&] { return Sent() == 1; }));
  clock.ahead = 600 * kSecond;
  relay_->Kick();
  EXPECT_FALSE(Until([&] { return Sent() > 1; }, 2s));
  End(100ms);
}

}  // namespace
}  // namespace glasspost::relay
