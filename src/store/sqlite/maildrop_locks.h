// Who has which maildrop open. The locks live in memory, since the folder has one process; each is written as a lease with
// whatever transaction comes next, for other programs to see, and costs none of its own.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "store/queue.h"

namespace glasspost::store {

// Thread-safe.
class MaildropLocks {
 public:
  bool Take(MailboxId mailbox, const Lease& lease, Timestamp now) {
    const std::lock_guard lock(mutex_);
    const auto [at, fresh] = held_.try_emplace(mailbox, lease);
    if (!fresh && at->second.until > now) return false;
    at->second = lease;
    changed_.insert(mailbox);
    return true;
  }
  bool Renew(MailboxId mailbox, const Lease& lease) {
    const std::lock_guard lock(mutex_);
    const auto at = held_.find(mailbox);
    if (at == held_.end() || at->second.owner != lease.owner) return false;
    at->second.until = lease.until;
    changed_.insert(mailbox);
    return true;
  }
  bool Holds(MailboxId mailbox, const std::string& owner) {
    const std::lock_guard lock(mutex_);
    const auto at = held_.find(mailbox);
    return at != held_.end() && at->second.owner == owner;
  }
  bool IsHeld(MailboxId mailbox, Timestamp now) {
    const std::lock_guard lock(mutex_);
    const auto at = held_.find(mailbox);
    return at != held_.end() && at->second.until > now;
  }
  void Release(MailboxId mailbox, const std::string& owner) {
    const std::lock_guard lock(mutex_);
    const auto at = held_.find(mailbox);
    if (at == held_.end() || at->second.owner != owner) return;
    held_.erase(at);
    changed_.insert(mailbox);
  }

  // Mailboxes whose lock has changed since, each with its lease; without an owner: free.
  using Changes = std::vector<std::pair<MailboxId, Lease>>;
  Changes TakeChanges() {
    const std::lock_guard lock(mutex_);
    Changes changes;
    for (const MailboxId mailbox : changed_) {
      const auto at = held_.find(mailbox);
      changes.emplace_back(mailbox, at == held_.end() ? Lease{} : at->second);
    }
    changed_.clear();
    return changes;
  }
  // They were not written after all.
  void PutBack(const Changes& changes) {
    const std::lock_guard lock(mutex_);
    for (const auto& [mailbox, lease] : changes) changed_.insert(mailbox);
  }

 private:
  std::mutex mutex_;
  std::unordered_map<MailboxId, Lease> held_;
  std::unordered_set<MailboxId> changed_;
};

}  // namespace glasspost::store
