// Passwords: what is stored of them when they are set, and whether one is right.
//
// An account holds verifiers in Dovecot's notation, all of one password. Made here: {ARGON2ID} (RFC 9106, in crypt's form),
// {SCRAM-SHA-256} (wire/sasl/verifier.h), {PLAIN} only if the operator allows mechanisms that need it. Verified: these, and
// {SSHA256}, {SHA512-CRYPT}, {BLF-CRYPT} of imports. Of several, the cheapest decides: all being kept side by side, the dearer
// ones would only make the honest wait.
//
// Slow ones run on threads of their own, and only so many may wait. An account that is none, or has no verifier, costs what an
// account costs: a verifier is computed for it all the same, of a kind that accounts here have; which of these kinds, its name
// decides, so that it is always the same one. A password that was right
// is remembered for a while as an HMAC-SHA-256 of user, verifier and password under a key that is drawn at start: the next login
// is cheap, a changed password is not found, and memory holds no password.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/octets.h"
#include "base/randomness.h"
#include "base/sha256.h"

namespace glasspost::server {

struct PasswordLimits {
  static constexpr std::size_t kPasswordOctets = 1024;  // as in a login: stops hashing of megabytes
  // Stop a stored verifier (an import's) from taking a thread for minutes, or the memory of the machine.
  static constexpr std::uint64_t kArgon2Kib = std::uint64_t{1} << 20;
  static constexpr std::uint64_t kArgon2Passes = 64;
  static constexpr std::uint64_t kCryptRounds = 5'000'000;
  static constexpr unsigned kBlowfishCost = 16;  // 2^16 rounds
  static constexpr std::size_t kKinds = 16;      // of verifiers; stops imports of all sorts from being looked through for ever
};

struct VerifierOptions {
  bool argon2id = true;
  bool scram = true;
  bool plain = false;  // what APOP and CRAM-MD5 need
  std::uint64_t argon2_octets = std::uint64_t{64} << 20;
  std::uint64_t argon2_passes = 2;
  unsigned scram_iterations = 4096;
};
// Slow, by intent. An error for one that is empty, too long, or holds what no client can send (RFC 4013).
Expected<std::vector<std::string>> MakeVerifiers(Octets password, const VerifierOptions& options, Randomness& randomness);

enum class VerifierCost : std::uint8_t { kCheap, kSlow, kNever /* of a scheme that is not known, or damaged */ };
VerifierCost CostOf(Octets verifier);
// Scheme and cost, "{ARGON2ID}$argon2id$v=19$m=65536,t=2,p=1$": all that is the same for many accounts.
std::string KindOf(Octets verifier);
// Is it the verifier's? In constant time as far as its comparison goes. False for one that is not known, or damaged.
bool Verifies(Octets verifier, Octets password);
// The one that a login is checked with; null: there is none.
const std::string* CheapestOf(std::span<const std::string> verifiers);

enum class Verdict : std::uint8_t {
  kRight,
  kWrong,
  kTryLater,  // too many are waiting: 454 4.7.0, [SYS/TEMP]
};

struct PasswordOptions {
  unsigned threads = 2;
  std::size_t queue = 256;
  std::chrono::seconds cache{300};  // 0: none
  std::size_t cache_entries = 10'000;
  std::string key = {};       // what the unknown are given hangs on it; empty: drawn
  VerifierOptions verifiers;  // what the unknown are checked with before any account was seen
};

class Passwords {
 public:
  using Done = std::move_only_function<void(Verdict)>;
  using Made = std::move_only_function<void(Expected<std::vector<std::string>>)>;

  // Both outlive it and may be used from any thread.
  Passwords(const PasswordOptions& options, const Clock& clock, Randomness& randomness);
  // What waits is told kTryLater; what is being computed ends first.
  ~Passwords();
  Passwords(const Passwords&) = delete;
  Passwords& operator=(const Passwords&) = delete;

  // Any thread. Answers at once where it is cheap, and never calls `done` then; else calls it later, on one of its own threads.
  // `verifiers`: the account's; none for one that is not there. `user` as the account is called.
  std::optional<Verdict> Check(Octets user, std::span<const std::string> verifiers, std::string password, Done done);
  // At start: which kinds of verifiers there are, so that the unknown do not stand out until the known have logged in.
  void Learn(std::span<const std::string> verifiers);
  // MakeVerifiers on one of its threads; at once, with an error, if too many wait.
  void Make(std::string password, const VerifierOptions& options, Made made);

  struct Counts {
    std::uint64_t computed = 0;
    std::uint64_t cached = 0;
    std::uint64_t refused = 0;  // kTryLater
    std::size_t waiting = 0;
    std::size_t remembered = 0;
  };
  Counts counts() const;

 private:
  struct Job {
    std::string verifier;
    std::string password;
    Digest256 key{};  // in the cache
    bool known = false;
    Done done;
    VerifierOptions options;
    Made made;  // of Make
  };
  struct DigestHash {
    std::size_t operator()(const Digest256& d) const { return LoadNative<std::size_t>(d.data()); }
  };
  struct Remembered {
    std::int64_t until;
    std::list<Digest256>::iterator place;
  };

  Digest256 KeyOf(Octets user, Octets verifier, Octets password) const;
  bool IsRemembered(const Digest256& key);
  void Remember(const Digest256& key);
  void LearnKind(const std::string& verifier);
  std::string VerifierForUnknown(Octets user) const;
  bool Enqueue(Job& job);
  void Run();
  void Carry(Job& job);

  const PasswordOptions options_;
  const Clock& clock_;
  Randomness& randomness_;
  const std::string key_;
  const std::string made_up_;  // a verifier that nobody's password fits, as accounts would be given

  mutable std::mutex mutex_;  // of all that follows
  std::condition_variable there_;
  std::deque<Job> queue_;
  bool ended_ = false;
  std::vector<std::string> kinds_;  // a verifier of each
  Counts counts_;
  std::unordered_map<Digest256, Remembered, DigestHash> remembered_;
  std::list<Digest256> oldest_first_;
  std::vector<std::thread> threads_;
};

}  // namespace glasspost::server
