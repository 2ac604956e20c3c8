#include "server/passwords.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "base/hmac.h"

namespace glasspost::server {
namespace {

constexpr std::size_t kKeyOctets = 32;

std::int64_t Nanoseconds(std::chrono::seconds s) { return std::chrono::nanoseconds(s).count(); }

// A verifier as MakeVerifiers makes it, for no password: octets drawn in place of hashes.
std::string MadeUpVerifier(const VerifierOptions& options, Randomness& randomness) {
  const auto draw = [&](std::size_t octets) { return EncodeBase64(randomness.Draw(octets)); };
  if (options.plain) return "{PLAIN}" + draw(18);
  if (options.scram) return fmt::format("{{SCRAM-SHA-256}}{},{},{},{}", options.scram_iterations, draw(16), draw(32), draw(32));
  return fmt::format("{{ARGON2ID}}$argon2id$v=19$m={},t={},p=1${}${}", options.argon2_octets >> 10, options.argon2_passes,
                     draw(16).substr(0, 22), draw(32).substr(0, 43));
}

}  // namespace

Passwords::Passwords(const PasswordOptions& options, const Clock& clock, Randomness& randomness)
    : options_(options),
      clock_(clock),
      randomness_(randomness),
      key_(options.key.empty() ? randomness.Draw(kKeyOctets) : options.key),
      made_up_(MadeUpVerifier(options.verifiers, randomness)) {
  for (unsigned i = 0; i < std::max(options_.threads, 1u); ++i) threads_.emplace_back([this] { Run(); });
}

Passwords::~Passwords() {
  std::deque<Job> left;
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
    left.swap(queue_);
  }
  there_.notify_all();
  for (std::thread& t : threads_) t.join();
  for (Job& job : left) {
    Wipe(job.password);
    if (job.made)
      job.made(Fail("the server is ending"));
    else
      job.done(Verdict::kTryLater);
  }
}

std::optional<Verdict> Passwords::Check(Octets user, std::span<const std::string> verifiers, std::string password, Done done) {
  if (password.empty() || password.size() > PasswordLimits::kPasswordOctets) return Wipe(password), Verdict::kWrong;
  const std::string* const own = CheapestOf(verifiers);
  if (own != nullptr) LearnKind(*own);
  Job job{.verifier = own != nullptr ? *own : VerifierForUnknown(user),
          .password = std::move(password),
          .known = own != nullptr,
          .done = std::move(done),
          .options = {},
          .made = {}};
  if (CostOf(job.verifier) == VerifierCost::kCheap) {
    const bool right = Verifies(job.verifier, job.password);
    Wipe(job.password);
    return right && job.known ? Verdict::kRight : Verdict::kWrong;
  }
  if (options_.cache.count() > 0) {
    // An account that is gone may be computed for with the verifier that was its own: that is another entry.
    job.key = KeyOf(job.known ? user : Octets(), job.verifier, job.password);
    if (IsRemembered(job.key) && job.known) return Wipe(job.password), Verdict::kRight;
  }
  if (Enqueue(job)) return {};
  Wipe(job.password);
  return Verdict::kTryLater;
}

void Passwords::Make(std::string password, const VerifierOptions& options, Made made) {
  Job job{.verifier = {}, .password = std::move(password), .done = {}, .options = options, .made = std::move(made)};
  if (Enqueue(job)) return;
  Wipe(job.password);
  job.made(Fail("too many passwords are being checked", {}, "try again later"));
}

void Passwords::Learn(std::span<const std::string> verifiers) {
  if (const std::string* const cheapest = CheapestOf(verifiers)) LearnKind(*cheapest);
}

void Passwords::LearnKind(const std::string& verifier) {
  const std::string kind = KindOf(verifier);
  const std::lock_guard lock(mutex_);
  if (kinds_.size() >= PasswordLimits::kKinds) return;
  for (const std::string& k : kinds_)
    if (KindOf(k) == kind) return;
  kinds_.push_back(verifier);
}

std::string Passwords::VerifierForUnknown(Octets user) const {
  const Digest256 chosen = HmacSha256(key_, user);
  const std::lock_guard lock(mutex_);
  return kinds_.empty() ? made_up_ : kinds_[LoadNative<std::uint32_t>(chosen.data()) % kinds_.size()];
}

Digest256 Passwords::KeyOf(Octets user, Octets verifier, Octets password) const {
  std::string all = fmt::format("{} {} {}{}", user.size(), verifier.size(), user, verifier);
  all.reserve(all.size() + password.size());  // so that no copy of it stays behind
  all.append(password);
  const Digest256 key = HmacSha256(key_, all);
  Wipe(all);
  return key;
}

bool Passwords::IsRemembered(const Digest256& key) {
  const std::int64_t now = clock_.Steady();
  const std::lock_guard lock(mutex_);
  const auto found = remembered_.find(key);
  if (found == remembered_.end()) return false;
  if (found->second.until > now) return ++counts_.cached, true;
  oldest_first_.erase(found->second.place);
  remembered_.erase(found);
  return false;
}

void Passwords::Remember(const Digest256& key) {
  const std::int64_t until = clock_.Steady() + Nanoseconds(options_.cache);
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = remembered_.try_emplace(key, Remembered{until, {}});
  if (!is_new) {
    at->second.until = until;
    oldest_first_.splice(oldest_first_.end(), oldest_first_, at->second.place);
    return;
  }
  at->second.place = oldest_first_.insert(oldest_first_.end(), key);
  if (remembered_.size() <= options_.cache_entries) return;
  remembered_.erase(oldest_first_.front());
  oldest_first_.pop_front();
}

bool Passwords::Enqueue(Job& job) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || queue_.size() >= options_.queue) return ++counts_.refused, false;
    queue_.push_back(std::move(job));
  }
  there_.notify_one();
  return true;
}

void Passwords::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    there_.wait(lock, [this] { return !queue_.empty() || ended_; });
    if (queue_.empty()) return;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    Carry(job);
    lock.lock();
  }
}

void Passwords::Carry(Job& job) {
  if (job.made) {
    auto verifiers = MakeVerifiers(job.password, job.options, randomness_);
    Wipe(job.password);
    return job.made(std::move(verifiers));
  }
  // Another login of the same user may have been computed meanwhile.
  const bool cached = options_.cache.count() > 0;
  bool right = cached && IsRemembered(job.key) && job.known;
  if (!right) {
    right = Verifies(job.verifier, job.password) && job.known;
    if (right && cached) Remember(job.key);
    const std::lock_guard lock(mutex_);
    ++counts_.computed;
  }
  Wipe(job.password);
  job.done(right ? Verdict::kRight : Verdict::kWrong);
}

Passwords::Counts Passwords::counts() const {
  const std::lock_guard lock(mutex_);
  Counts counts = counts_;
  counts.waiting = queue_.size();
  counts.remembered = remembered_.size();
  return counts;
}

}  // namespace glasspost::server
