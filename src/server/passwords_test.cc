#include "server/passwords.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>

#include "base/base64.h"
#include "wire/sasl/verifier.h"

namespace glasspost::server {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::StartsWith;

class ManualClock final : public Clock {
 public:
  Timestamp Now() const override { return 0; }
  std::int64_t Steady() const override { return now; }
  std::atomic<std::int64_t> now = 0;
};

// Made by others; the tool stands before them.
constexpr struct {
  const char* verifier;
  const char* password;
} kVectors[] = {
    // doveadm pw -s …
    {"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$mKKSrKYGeEPW8WjBW46JrA$W6gLibFi1B6CTuFpWESeNdB4d3KGPK5Xu52XBYi4GNg",
     "correct horse"},
    {"{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$sUshuHrO6LztEKTuCOmNjQ$nAJ66P91mxCvrH0nQXwC9/L6w6f9+pwz7jaai0I/xVM", "pässwörd"},
    {"{SSHA256}AMdKmypMdWNyFxEzLkydzbs4uWbaa635QVFDL+Pi+S/ewsKq", "correct horse"},
    {"{SSHA256}efvieyaxSjkohWmhGdqBty8nmBgHbkRtdcM30Gjo/S85ZFhD", "pässwörd"},
    {"{SHA512-CRYPT}$6$NhCFS3gSJ.dSks2W$YnbhbfxxbUm2J/C4l/Rc6mQZ7UpFrmUTRb2oVXJ2WipQimfHFU6Fj165Kb5ijmkMLaVimsLhRF0f36DiB1rgA.",
     "correct horse"},
    {"{SHA512-CRYPT}$6$HakIk0ixBLND2Ngm$/R7yQmCZAMff.nvfnahOmrP4yerCa3uB7lE1celQM6S.RTlt0EZrxiy6slhYFZExPbhb6IEOWsdOJqGUoUXjX0",
     "pässwörd"},
    {"{BLF-CRYPT}$2y$05$B33eHwbjQyMV5/vBRmI9ZuuRMM4lAvF0HgRi5Qfvffb.F2LUZoGmS", "correct horse"},
    {"{BLF-CRYPT}$2y$05$KDrfGNNoDtsN9XUn/KCZSucLcH/uwUHlxYulgIKvJ4QCuo21v/mxO", "pässwörd"},
    {"{SCRAM-SHA-256}4096,+SFV27Y7lFbzpe8MveK63w==,baupptFl74lvX4sTNGOo9UL2mJUGdbesId+x2pigy/Y=,"
     "R1sTqNZWqxgXH1fR0KOcyLWyXsUwoB5phWhLjywcNyc=",
     "correct horse"},
    {"{SCRAM-SHA-256}4096,oHsq8Bm1+P+MRlro2HHSmA==,MQxSMqtmeUncr5xayC2HHQcP8D3LGCcwGuiHeVuAuBM=,"
     "jy30GPIRdm4kz/sr9r3tlSxqAERj775wigEquGygYHo=",
     "pässwörd"},
    {"{PLAIN}correct horse", "correct horse"},
    // openssl passwd -6 -salt saltsalt
    {"{SHA512-CRYPT}$6$saltsalt$hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0",
     "correct horse"},
    // python3 crypt.crypt, with the setting $6$rounds=1000$0123456789abcdef and mksalt(METHOD_BLOWFISH, rounds=16)
    {"{SHA512-CRYPT}$6$rounds=1000$0123456789abcdef$"
     "GaScwcscdzvyk7gzZmxXAHiJAYBdSzwVcphgrsQJGOjgOegLlrTs5rVDD6z0u4r1gcbw2MjFIR1AQnAH5uLeW0",
     "correct horse"},
    {"{BLF-CRYPT}$2b$04$E9xUtjbkNtF4DbfQ0eE2Yeq2t2y1E6T8zGrMmtOqqZZXxtoONA/ve", "correct horse"},
};
constexpr const char* kSha256 = kVectors[2].verifier;
constexpr const char* kBlowfish = kVectors[6].verifier;
constexpr const char* kScram = kVectors[8].verifier;
constexpr const char* kOtherScram =
    "{SCRAM-SHA-256}4096,oHsq8Bm1+P+MRlro2HHSmA==,MQxSMqtmeUncr5xayC2HHQcP8D3LGCcwGuiHeVuAuBM=,"
    "jy30GPIRdm4kz/sr9r3tlSxqAERj775wigEquGygYHo=";

TEST(Verifiers, OfOtherPrograms) {
  for (const auto& v : kVectors) {
    EXPECT_TRUE(Verifies(v.verifier, v.password)) << v.verifier;
    EXPECT_FALSE(Verifies(v.verifier, std::string(v.password) + "x")) << v.verifier;
    EXPECT_FALSE(Verifies(v.verifier, Octets(v.password).substr(1))) << v.verifier;
    EXPECT_FALSE(Verifies(v.verifier, "")) << v.verifier;
    EXPECT_FALSE(Verifies(v.verifier, v.password + std::string("\0x", 2))) << v.verifier;
    // Another case of the scheme's name.
    std::string lower = v.verifier;
    lower[1] = static_cast<char>(lower[1] | 0x20);
    EXPECT_TRUE(Verifies(lower, v.password)) << lower;
  }
}

TEST(Verifiers, DamagedOnesFitNothing) {
  for (const auto& v : kVectors) {
    const std::string whole = v.verifier;
    if (whole.starts_with("{PLAIN}") || whole.starts_with("{SSHA256}")) continue;
    for (std::size_t i = 0; i < whole.size(); i += whole.size() / 8)
      EXPECT_FALSE(Verifies(whole.substr(0, i), v.password)) << whole.substr(0, i);
    EXPECT_FALSE(Verifies(whole.substr(0, whole.size() - 2), v.password)) << whole;
  }
  for (const char* bad :
       {"", "{}x", "x", "{ARGON2ID}", "{ARGON2I}$argon2i$v=19$m=1,t=1,p=1$YQ$YQ", "{SSHA256}", "{SSHA256}AAAA", "{SSHA256}!",
        "{PLAIN}", "{MD5-CRYPT}$1$a$b", "{SHA512-CRYPT}$1$saltsalt$x", "{BLF-CRYPT}$2y$", "{BLF-CRYPT}$6$saltsalt$x",
        "{BLF-CRYPT}$2y$05$notvalid", "{SSHA256}xx", "{CRYPT}x", "{SHA512-CRYPT}x"}) {
    EXPECT_FALSE(Verifies(bad, "correct horse")) << bad;
    EXPECT_EQ(CostOf(bad), VerifierCost::kNever) << bad;
  }
}

// What would take a thread for minutes is never begun: at the limit, and one past it.
TEST(Verifiers, CostIsBounded) {
  const auto crypt = [](std::uint64_t rounds) { return "{SHA512-CRYPT}$6$rounds=" + std::to_string(rounds) + "$salt$x"; };
  EXPECT_EQ(CostOf(crypt(PasswordLimits::kCryptRounds)), VerifierCost::kSlow);
  EXPECT_EQ(CostOf(crypt(PasswordLimits::kCryptRounds + 1)), VerifierCost::kNever);
  const auto argon = [](std::uint64_t kib, std::uint64_t passes) {
    return "{ARGON2ID}$argon2id$v=19$m=" + std::to_string(kib) + ",t=" + std::to_string(passes) + ",p=1$c2FsdHNhbHQ$aGFzaA";
  };
  EXPECT_EQ(CostOf(argon(PasswordLimits::kArgon2Kib, PasswordLimits::kArgon2Passes)), VerifierCost::kSlow);
  EXPECT_EQ(CostOf(argon(PasswordLimits::kArgon2Kib + 1, 1)), VerifierCost::kNever);
  EXPECT_EQ(CostOf(argon(1, PasswordLimits::kArgon2Passes + 1)), VerifierCost::kNever);
  EXPECT_EQ(CostOf("{BLF-CRYPT}$2y$16$" + std::string(53, 'a')), VerifierCost::kSlow);
  EXPECT_EQ(CostOf("{BLF-CRYPT}$2y$17$" + std::string(53, 'a')), VerifierCost::kNever);
  EXPECT_EQ(CostOf("{SCRAM-SHA-256}1000001" + std::string(kScram).substr(19)), VerifierCost::kNever);
  EXPECT_EQ(CostOf("{PLAIN}x"), VerifierCost::kCheap);
  EXPECT_EQ(CostOf(kSha256), VerifierCost::kCheap);
  EXPECT_TRUE(
      Verifies("{PLAIN}" + std::string(PasswordLimits::kPasswordOctets, 'a'), std::string(PasswordLimits::kPasswordOctets, 'a')));
  EXPECT_FALSE(Verifies("{PLAIN}" + std::string(PasswordLimits::kPasswordOctets + 1, 'a'),
                        std::string(PasswordLimits::kPasswordOctets + 1, 'a')));
}

TEST(Verifiers, TheCheapestDecides) {
  const std::vector<std::string> all{kVectors[0].verifier, "{UNKNOWN}x", kBlowfish, kScram, kSha256, "{PLAIN}a"};
  EXPECT_EQ(CheapestOf(all), &all[5]);
  EXPECT_EQ(CheapestOf(std::span(all).first(5)), &all[4]);
  EXPECT_EQ(CheapestOf(std::span(all).first(4)), &all[3]);
  EXPECT_EQ(CheapestOf(std::span(all).first(3)), &all[2]);
  EXPECT_EQ(CheapestOf(std::span(all).first(2)), &all[0]);
  EXPECT_EQ(CheapestOf(std::span(all).subspan(1, 1)), nullptr);
  EXPECT_EQ(CheapestOf({}), nullptr);
}

TEST(Verifiers, Kinds) {
  EXPECT_EQ(KindOf(kVectors[0].verifier), "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$");
  EXPECT_EQ(KindOf(kSha256), "{SSHA256}");
  EXPECT_EQ(KindOf(kVectors[4].verifier), "{SHA512-CRYPT}$6$");
  EXPECT_EQ(KindOf(kVectors[12].verifier), "{SHA512-CRYPT}$6$rounds=1000$");
  EXPECT_EQ(KindOf(kBlowfish), "{BLF-CRYPT}$2y$05$");
  EXPECT_EQ(KindOf(kScram), "{SCRAM-SHA-256}4096,");
  EXPECT_EQ(KindOf("{PLAIN}x"), "{PLAIN}");
  EXPECT_EQ(KindOf("{X}x"), "");
}

constexpr VerifierOptions kCheap{.argon2_octets = 1 << 20, .argon2_passes = 1};

TEST(MakeVerifiers, InDovecotsNotation) {
  auto made = MakeVerifiers("pässwörd", kCheap, SystemRandomness());
  ASSERT_TRUE(made);
  ASSERT_EQ(made->size(), 2u);
  EXPECT_THAT((*made)[0],
              MatchesRegex("\\{ARGON2ID\\}\\$argon2id\\$v=19\\$m=1024,t=1,p=1\\$[A-Za-z0-9+/]{22}\\$[A-Za-z0-9+/]{43}"));
  EXPECT_TRUE(sasl::ParseScramSha256((*made)[1]));
  for (const std::string& v : *made) {
    EXPECT_TRUE(Verifies(v, "pässwörd")) << v;
    EXPECT_TRUE(Verifies(v, "pa\u0308sswo\u0308rd")) << v;  // in pieces: the same to RFC 4013
    EXPECT_FALSE(Verifies(v, "passwort")) << v;
  }
  const auto again = MakeVerifiers("pässwörd", kCheap, SystemRandomness());
  EXPECT_NE((*made)[0], (*again)[0]);
  EXPECT_NE((*made)[1], (*again)[1]);
  VerifierOptions plain = kCheap;
  plain.plain = true;
  plain.argon2id = false;
  plain.scram_iterations = 5000;
  EXPECT_THAT(*MakeVerifiers("secret", plain, SystemRandomness()),
              ElementsAre(StartsWith("{SCRAM-SHA-256}5000,"), "{PLAIN}secret"));
}

TEST(MakeVerifiers, RefusesWhatNobodyCouldSend) {
  for (const std::string& bad : {std::string(), std::string("a\nb"), std::string("a\0b", 3), std::string("\xff"),
                                 std::string("\xc2\xad"), std::string(PasswordLimits::kPasswordOctets + 1, 'a')})
    EXPECT_FALSE(MakeVerifiers(bad, kCheap, SystemRandomness())) << bad;
  EXPECT_TRUE(MakeVerifiers(std::string(PasswordLimits::kPasswordOctets, 'a'), kCheap, SystemRandomness()));
}

struct Fixture {
  ManualClock clock;
  PasswordOptions options{.threads = 2, .queue = 16, .cache = 300s, .cache_entries = 3, .verifiers = kCheap};
  std::optional<Passwords> passwords;

  void Start() { passwords.emplace(options, clock, SystemRandomness()); }
  // Waits for the answer. `at_once`: whether it came without a thread.
  Verdict Ask(Octets user, std::vector<std::string> verifiers, const std::string& password, bool* at_once = nullptr) {
    auto promise = std::make_shared<std::promise<Verdict>>();
    const auto now = passwords->Check(user, verifiers, password, [promise](Verdict v) { promise->set_value(v); });
    if (at_once != nullptr) *at_once = now.has_value();
    return now ? *now : promise->get_future().get();
  }
};

TEST(Passwords, RightAndWrong) {
  Fixture f;
  f.Start();
  bool at_once = false;
  for (const auto& v : kVectors) {
    EXPECT_EQ(f.Ask("a", {v.verifier}, v.password, &at_once), Verdict::kRight) << v.verifier;
    EXPECT_EQ(at_once, CostOf(v.verifier) == VerifierCost::kCheap) << v.verifier;
    EXPECT_EQ(f.Ask("a", {v.verifier}, "wrong", &at_once), Verdict::kWrong);
    EXPECT_EQ(at_once, CostOf(v.verifier) == VerifierCost::kCheap) << v.verifier;
  }
  EXPECT_EQ(f.Ask("a", {kScram}, ""), Verdict::kWrong);
  EXPECT_EQ(f.Ask("a", {kScram}, std::string(PasswordLimits::kPasswordOctets + 1, 'a')), Verdict::kWrong);
  EXPECT_EQ(f.passwords->counts().waiting, 0u);
}

// Whoever is not there is computed for like one who is, and never let in.
TEST(Passwords, TheUnknownCostTheSame) {
  Fixture f;
  f.Start();
  bool at_once = true;
  EXPECT_EQ(f.Ask("nobody", {}, "x", &at_once), Verdict::kWrong);
  EXPECT_FALSE(at_once);  // before anybody was seen: as new accounts would be
  EXPECT_EQ(f.passwords->counts().computed, 1u);
  EXPECT_EQ(f.Ask("damaged", {"{UNKNOWN}x"}, "x", &at_once), Verdict::kWrong);
  EXPECT_EQ(f.passwords->counts().computed, 2u);
  // With the password of the one whose verifier it is computed with.
  f.Ask("a", {kScram}, "correct horse");
  EXPECT_EQ(f.Ask("nobody", {}, "correct horse", &at_once), Verdict::kWrong);
  EXPECT_FALSE(at_once);
  EXPECT_EQ(f.Ask("nobody", {}, "correct horse"), Verdict::kWrong);  // nor is it remembered
  EXPECT_EQ(f.passwords->counts().computed, 5u);
  EXPECT_EQ(f.passwords->counts().remembered, 1u);
}

TEST(Passwords, TheUnknownAreOfTheKindsThatThereAre) {
  Fixture f;
  f.options.cache = 0s;
  f.Start();
  const std::vector<std::string> cheap{kSha256};
  f.passwords->Learn(cheap);
  bool at_once = false;
  EXPECT_EQ(f.Ask("nobody", {}, "correct horse", &at_once), Verdict::kWrong);
  EXPECT_TRUE(at_once);  // all are {SSHA256}
  const std::vector<std::string> slow{kBlowfish};
  f.passwords->Learn(slow);
  int of_each[2] = {};
  for (int i = 0; i < 64; ++i) {
    const std::string user = "user" + std::to_string(i);
    bool again = false;
    f.Ask(user, {}, "x", &at_once);
    f.Ask(user, {}, "y", &again);
    EXPECT_EQ(at_once, again) << user;  // the same name, the same kind
    ++of_each[at_once ? 1 : 0];
  }
  EXPECT_GT(of_each[0], 8);
  EXPECT_GT(of_each[1], 8);
}

TEST(Passwords, RemembersThoseThatWereRight) {
  Fixture f;
  f.Start();
  bool at_once = false;
  EXPECT_EQ(f.Ask("a", {kScram}, "correct horse", &at_once), Verdict::kRight);
  EXPECT_FALSE(at_once);
  EXPECT_EQ(f.Ask("a", {kScram}, "correct horse", &at_once), Verdict::kRight);
  EXPECT_TRUE(at_once);
  EXPECT_EQ(f.passwords->counts().cached, 1u);
  // Another password, another user with the same verifier, the same user with another.
  EXPECT_EQ(f.Ask("a", {kScram}, "correct horse ", &at_once), Verdict::kWrong);
  EXPECT_FALSE(at_once);
  EXPECT_EQ(f.Ask("b", {kScram}, "correct horse", &at_once), Verdict::kRight);
  EXPECT_FALSE(at_once);
  EXPECT_EQ(f.Ask("a", {kOtherScram}, "correct horse", &at_once), Verdict::kWrong);
  EXPECT_FALSE(at_once);
  EXPECT_EQ(f.passwords->counts().remembered, 2u);
  // Until it is too old: at the limit, and past it.
  f.clock.now = std::chrono::nanoseconds(300s).count() - 1;
  f.Ask("a", {kScram}, "correct horse", &at_once);
  EXPECT_TRUE(at_once);
  f.clock.now = std::chrono::nanoseconds(300s).count();
  f.Ask("a", {kScram}, "correct horse", &at_once);
  EXPECT_FALSE(at_once);
}

TEST(Passwords, AnAccountThatIsGoneIsNotLetInByMemory) {
  Fixture f;
  f.Start();
  bool at_once = true;
  EXPECT_EQ(f.Ask("a", {kScram}, "correct horse"), Verdict::kRight);
  EXPECT_EQ(f.Ask("a", {}, "correct horse", &at_once), Verdict::kWrong);
  EXPECT_FALSE(at_once);
}

TEST(Passwords, RemembersOnlySoMany) {
  Fixture f;
  f.Start();
  bool at_once = false;
  for (const char* user : {"a", "b", "c", "d"}) f.Ask(user, {kScram}, "correct horse");
  EXPECT_EQ(f.passwords->counts().remembered, 3u);
  f.Ask("d", {kScram}, "correct horse", &at_once);
  EXPECT_TRUE(at_once);
  f.Ask("a", {kScram}, "correct horse", &at_once);  // the oldest
  EXPECT_FALSE(at_once);
}

TEST(Passwords, WithoutMemory) {
  Fixture f;
  f.options.cache = 0s;
  f.Start();
  bool at_once = true;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(f.Ask("a", {kScram}, "correct horse", &at_once), Verdict::kRight);
    EXPECT_FALSE(at_once);
  }
  EXPECT_EQ(f.passwords->counts().remembered, 0u);
}

// One thread that is kept busy, a queue of two: the third that waits is told to try later, and those that wait when it ends.
TEST(Passwords, OnlySoManyWait) {
  Fixture f;
  f.options.threads = 1;
  f.options.queue = 2;
  f.Start();
  std::promise<void> begun, go_on;
  std::vector<Verdict> said;
  const std::vector<std::string> verifiers{kScram};
  EXPECT_FALSE(f.passwords->Check("first", verifiers, "correct horse", [&](Verdict v) {
    said.push_back(v);
    begun.set_value();
    go_on.get_future().wait();
  }));
  begun.get_future().wait();
  for (const char* user : {"second", "third"})
    EXPECT_FALSE(f.passwords->Check(user, verifiers, "correct horse", [&](Verdict v) { said.push_back(v); }));
  EXPECT_EQ(f.passwords->counts().waiting, 2u);
  EXPECT_EQ(f.passwords->Check("fourth", verifiers, "correct horse", [&](Verdict) { ADD_FAILURE(); }), Verdict::kTryLater);
  EXPECT_EQ(f.passwords->counts().refused, 1u);
  bool refused = false;
  f.passwords->Make("x", kCheap, [&](auto made) { refused = !made; });
  EXPECT_TRUE(refused);
  // What needs no thread is answered all the same.
  const std::vector<std::string> cheap{kSha256};
  EXPECT_EQ(f.passwords->Check("fifth", cheap, "correct horse", [&](Verdict) { ADD_FAILURE(); }), Verdict::kRight);
  std::thread ender([&] { f.passwords.reset(); });
  std::this_thread::sleep_for(20ms);
  go_on.set_value();
  ender.join();
  ASSERT_EQ(said.size(), 3u);
  EXPECT_EQ(said[0], Verdict::kRight);
  EXPECT_EQ(said[1], Verdict::kTryLater);
  EXPECT_EQ(said[2], Verdict::kTryLater);
}

TEST(Passwords, Makes) {
  Fixture f;
  f.Start();
  std::promise<Expected<std::vector<std::string>>> made;
  f.passwords->Make("secret", kCheap, [&](auto verifiers) { made.set_value(std::move(verifiers)); });
  const auto verifiers = made.get_future().get();
  ASSERT_TRUE(verifiers);
  EXPECT_EQ(f.Ask("a", *verifiers, "secret"), Verdict::kRight);
  EXPECT_EQ(f.Ask("a", {(*verifiers)[0]}, "secret"), Verdict::kRight);
}

// Many logins at once, of known and unknown, from several threads.
TEST(Passwords, FromManyThreads) {
  Fixture f;
  f.options.queue = 1000;
  f.options.cache_entries = 100;
  f.Start();
  std::atomic<int> right = 0, wrong = 0;
  std::vector<std::thread> threads;
  std::atomic<int> open = 0;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      const std::vector<std::string> verifiers{kScram};
      for (int i = 0; i < 50; ++i) {
        const bool known = i % 3 != 0;
        const auto count = [&](Verdict v) { ++(v == Verdict::kRight ? right : wrong); };
        ++open;
        const auto now = f.passwords->Check("u" + std::to_string((t * 50 + i) % 7),
                                            known ? std::span(verifiers) : std::span<const std::string>(), "correct horse",
                                            [&, count](Verdict v) { count(v), --open; });
        if (now) count(*now), --open;
      }
    });
  for (std::thread& t : threads) t.join();
  while (open > 0) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(right, 4 * 33);
  EXPECT_EQ(wrong, 4 * 17);
  EXPECT_GT(f.passwords->counts().cached, 0u);
}

}  // namespace
}  // namespace glasspost::server
