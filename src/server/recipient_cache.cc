#include "server/recipient_cache.h"

#include "base/ascii.h"

namespace glasspost::server {

std::string RecipientCache::KeyOf(const store::AddressName& name) {
  std::string key;
  key.reserve(name.local.size() + name.domain.size() + 1);
  for (const char c : name.local) key.push_back(ToLower(c));
  key.push_back('\0');
  for (const char c : name.domain) key.push_back(ToLower(c));
  return key;
}

RecipientCache::Shared RecipientCache::Find(const store::AddressName& name) {
  const std::string key = KeyOf(name);
  const std::lock_guard lock(mutex_);
  const auto it = known_.find(key);
  return it == known_.end() ? nullptr : it->second;
}

void RecipientCache::Ask(store::AddressName name, store::Done<Shared> done) {
  std::uint64_t generation;
  {
    const std::lock_guard lock(mutex_);
    generation = generation_;
  }
  std::string key = KeyOf(name);
  directory_.Resolve(std::move(name), [this, generation, key = std::move(key),
                                       done = std::move(done)](store::Result<store::Resolution> result) mutable {
    if (!result) return done(std::unexpected(std::move(result.error())));
    bool lasting = true;
    for (const store::LocalTarget& target : result->mailboxes) lasting &= target.quota == 0;
    auto shared = std::make_shared<const store::Resolution>(*std::move(result));
    if (lasting) {
      const std::lock_guard lock(mutex_);
      // Asked before a change and answered after it, it may be of either side.
      if (generation == generation_) {
        if (known_.size() >= kKept) known_.clear();
        known_.insert_or_assign(std::move(key), shared);
      }
    }
    done(std::move(shared));
  });
}

void RecipientCache::Invalidate() {
  const std::lock_guard lock(mutex_);
  ++generation_;
  known_.clear();
}

}  // namespace glasspost::server
