#include "server/failed_logins.h"

#include <algorithm>

namespace glasspost::server {
namespace {

constexpr std::size_t kPrefixOctets = 8;  // of an IPv6 address: what one customer has

std::array<std::uint8_t, 16> KeyOf(const Address& address) {
  auto key = address.octets;
  if (!address.is_v4()) std::fill(key.begin() + kPrefixOctets, key.end(), std::uint8_t{0});
  return key;
}

}  // namespace

bool FailedLogins::Blocked(const Address& address) {
  const std::lock_guard lock(mutex_);
  if (off()) return false;
  const auto at = by_key_.find(KeyOf(address));
  if (at == by_key_.end()) return false;
  // A further failure must fit.
  return at->second->debt_until - clock_.Steady() > share() * (limits_.failures - 1);
}

void FailedLogins::SetLimits(const FailedLoginLimits& limits) {
  const std::lock_guard lock(mutex_);
  limits_ = limits;
}

void FailedLogins::Failed(const Address& address) {
  const Key key = KeyOf(address);
  const std::int64_t now = clock_.Steady();
  const std::lock_guard lock(mutex_);
  if (off()) return;
  while (!entries_.empty() && entries_.front().debt_until <= now) {
    by_key_.erase(entries_.front().key);
    entries_.pop_front();
  }
  auto [at, fresh] = by_key_.try_emplace(key);
  if (fresh) {
    if (entries_.size() >= limits_.addresses) {
      by_key_.erase(entries_.front().key);
      entries_.pop_front();
    }
    at->second = entries_.insert(entries_.end(), {key, 0});
  } else {
    entries_.splice(entries_.end(), entries_, at->second);
  }
  // No more than the whole window: who goes on trying is let in again when the first of a full window is forgotten.
  std::int64_t& until = at->second->debt_until;
  until = std::min(std::max(until, now) + share(), now + share() * static_cast<std::int64_t>(limits_.failures));
}

std::size_t FailedLogins::addresses() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace glasspost::server
