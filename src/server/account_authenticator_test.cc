#include "server/account_authenticator.h"

#include <gmock/gmock.h>

#include "server/pop3_test_support.h"

namespace glasspost::server::test {
namespace {

using enum LoginResult::Kind;

Address V4(std::uint8_t last) {
  const std::uint8_t octets[4] = {192, 0, 2, last};
  return Address::V4(octets);
}
Address V6(std::uint8_t net, std::uint8_t host) {
  std::uint8_t octets[16] = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, net};
  octets[15] = host;
  return Address::V6(octets);
}

TEST(FailedLogins, SlidesAndForgets) {
  net::test::ManualClock clock;
  FailedLogins failed(clock, {.failures = 3, .window = std::chrono::seconds(30), .addresses = 100});
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(failed.Blocked(V4(1)));
    failed.Failed(V4(1));
  }
  EXPECT_TRUE(failed.Blocked(V4(1)));
  EXPECT_FALSE(failed.Blocked(V4(2)));
  clock.now += 9'999'999'999;
  EXPECT_TRUE(failed.Blocked(V4(1)));
  clock.now += 1;  // a third of the window: one is forgotten
  EXPECT_FALSE(failed.Blocked(V4(1)));
  failed.Failed(V4(1));
  EXPECT_TRUE(failed.Blocked(V4(1)));
  clock.now += 30'000'000'000;
  EXPECT_FALSE(failed.Blocked(V4(1)));
  failed.Failed(V4(2));  // whoever comes next sweeps what is over
  EXPECT_EQ(failed.addresses(), 1u);
}

TEST(FailedLogins, ANetOfIpv6IsOneAndTheTableIsBounded) {
  net::test::ManualClock clock;
  FailedLogins failed(clock, {.failures = 2, .window = std::chrono::seconds(30), .addresses = 3});
  failed.Failed(V6(1, 1));
  failed.Failed(V6(1, 2));
  EXPECT_TRUE(failed.Blocked(V6(1, 3)));
  EXPECT_FALSE(failed.Blocked(V6(2, 1)));
  for (std::uint8_t i = 0; i < 200; ++i) failed.Failed(V4(i));
  EXPECT_EQ(failed.addresses(), 3u);
  EXPECT_FALSE(failed.Blocked(V6(1, 1)));  // forgotten: the oldest
}

TEST(FailedLogins, CanBeOff) {
  net::test::ManualClock clock;
  FailedLogins failed(clock, {.failures = 0, .window = std::chrono::seconds(30), .addresses = 3});
  for (int i = 0; i < 100; ++i) failed.Failed(V4(1));
  EXPECT_FALSE(failed.Blocked(V4(1)));
}

TEST(AccountName, OfWhatClientsSend) {
  EXPECT_EQ(AccountNameOf("alice@b.test", "a.test"), (store::AddressName{"alice", "b.test"}));
  EXPECT_EQ(AccountNameOf("alice", "a.test"), (store::AddressName{"alice", "a.test"}));
  EXPECT_EQ(AccountNameOf("a@b@c.test", "a.test"), (store::AddressName{"a@b", "c.test"}));
  for (const std::string nobody : {"", "@", "@a.test", "alice@"})
    EXPECT_EQ(AccountNameOf(nobody, "a.test"), store::AddressName{});
  EXPECT_EQ(AccountNameOf("alice", ""), store::AddressName{});
}

TEST(LoginOffers, WhatSomeAccountCanUse) {
  EXPECT_TRUE(OffersFor({}, {.default_domain = {}, .limits = {}}).mechanisms.empty());
  EXPECT_FALSE(OffersFor({}, {.default_domain = {}, .limits = {}}).user_pass);
  const auto hashed = OffersFor({"{ARGON2ID}"}, {.default_domain = {}, .cram_md5 = true, .apop = true, .limits = {}});
  EXPECT_TRUE(hashed.user_pass);
  EXPECT_TRUE(hashed.mechanisms.Has(sasl::Mechanism::kPlain));
  EXPECT_FALSE(hashed.mechanisms.Has(sasl::Mechanism::kScram));
  EXPECT_FALSE(hashed.mechanisms.Has(sasl::Mechanism::kCramMd5));
  EXPECT_FALSE(hashed.apop);
  EXPECT_TRUE(OffersFor({"{SCRAM-SHA-256}"}, {.default_domain = {}, .limits = {}}).mechanisms.Has(sasl::Mechanism::kScram));
  const auto plain = OffersFor({"{PLAIN}"}, {.default_domain = {}, .cram_md5 = true, .apop = true, .limits = {}});
  EXPECT_TRUE(plain.apop);
  EXPECT_TRUE(plain.mechanisms.Has(sasl::Mechanism::kCramMd5));
  EXPECT_FALSE(OffersFor({"{PLAIN}"}, {.default_domain = {}, .limits = {}}).apop);
}

class Authenticating : public Pop3Server {
 public:
  AuthenticatorOptions Options() override {
    return {.default_domain = "a.test", .limits = {.failures = 3, .window = std::chrono::seconds(600), .addresses = 10}};
  }
  LoginResult Check(const std::string& user, const std::string& password, Address from = V4(1)) {
    std::promise<LoginResult> promise;
    authenticator_->CheckPassword(user, password, from, [&](LoginResult r) { promise.set_value(std::move(r)); });
    return promise.get_future().get();
  }
  FoundVerifiers Verifiers(const std::string& user, Address from = V4(1)) {
    std::promise<FoundVerifiers> promise;
    authenticator_->FindVerifiers(user, from, [&](FoundVerifiers r) { promise.set_value(std::move(r)); });
    return promise.get_future().get();
  }
};

TEST_F(Authenticating, AcceptsRefusesAndStops) {
  const LoginResult right = Check("Alice@A.test", "secret");
  EXPECT_EQ(right.kind, kAccepted);
  EXPECT_EQ(right.name, (store::AddressName{"alice", "a.test"}));
  EXPECT_EQ(right.account, Find("alice").id);
  EXPECT_EQ(right.inbox, Find("alice").inbox);
  EXPECT_EQ(Check("alice", "wrong").kind, kRefused);
  EXPECT_EQ(Check("nobody", "secret").kind, kRefused);
  EXPECT_EQ(Check("@", "secret").kind, kRefused);
  EXPECT_EQ(checker_.asked, 4);  // each of them: nobody can tell by the time which account there is
  EXPECT_EQ(Check("alice", "secret").kind, kTooOften);
  EXPECT_EQ(checker_.asked, 4);
  EXPECT_EQ(Check("alice", "secret", V4(2)).kind, kAccepted);
  EXPECT_TRUE(Verifiers("alice").verifiers.empty());
  EXPECT_EQ(authenticator_->addresses_with_failures(), 1u);
}

TEST_F(Authenticating, ProofsThatFailCountToo) {
  EXPECT_EQ(Verifiers("alice").verifiers, std::vector<std::string>{"{PLAIN}secret"});
  EXPECT_EQ(Verifiers("alice").account, Find("alice").id);
  EXPECT_EQ(Verifiers("nobody").account, 0);
  EXPECT_EQ(authenticator_->NoteProof(V4(1), true), kAccepted);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(authenticator_->NoteProof(V4(1), false), kRefused);
  // Who had asked before the limit was reached learns nothing, be his proof good or bad.
  EXPECT_TRUE(authenticator_->Blocked(V4(1)));
  for (const bool good : {false, true}) EXPECT_EQ(authenticator_->NoteProof(V4(1), good), kTooOften);
  EXPECT_TRUE(Verifiers("alice").verifiers.empty());
  EXPECT_FALSE(Verifiers("alice", V4(2)).verifiers.empty());
}

// A hundred guesses at once, the right one among them: no more than the limit is learnt from.
TEST_F(Authenticating, ManyGuessesAtOnce) {
  std::mutex mutex;
  std::vector<LoginResult::Kind> kinds;
  std::promise<void> all;
  for (int i = 0; i < 100; ++i)
    authenticator_->CheckPassword("alice", i == 90 ? "secret" : "guess" + std::to_string(i), V4(1), [&](LoginResult r) {
      std::unique_lock lock(mutex);
      kinds.push_back(r.kind);
      const bool last = kinds.size() == 100;
      lock.unlock();  // before the test can end
      if (last) all.set_value();
    });
  all.get_future().wait();
  EXPECT_EQ(std::ranges::count(kinds, kRefused), 3);
  EXPECT_EQ(std::ranges::count(kinds, kTooOften), 97);
}

TEST_F(Authenticating, OffersFollowTheAccounts) {
  const auto offers = [&] {
    std::promise<LoginOffers> promise;
    authenticator_->FindOffers([&](store::Result<LoginOffers> r) { promise.set_value(*r); });
    return promise.get_future().get();
  };
  EXPECT_FALSE(offers().mechanisms.Has(sasl::Mechanism::kScram));
  AddUser("scram", {sasl::MakeScramVerifier("secret", "0123456789abcdef")});
  EXPECT_TRUE(offers().mechanisms.Has(sasl::Mechanism::kScram));
}

TEST_F(Authenticating, AnswersThatComeAtOnce) {
  checker_.at_once = true;
  EXPECT_EQ(Check("alice", "secret").kind, kAccepted);
  EXPECT_EQ(Check("alice", "wrong").kind, kRefused);
  EXPECT_EQ(Check("nobody", "secret").kind, kRefused);
}

TEST_F(Authenticating, BusyIsNoFailure) {
  checker_.busy = true;
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Check("alice", "secret").kind, kTryLater);
  checker_.busy = false;
  EXPECT_EQ(Check("alice", "secret").kind, kAccepted);
}

}  // namespace
}  // namespace glasspost::server::test
