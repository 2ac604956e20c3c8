// Listings of maildrops that were read lately, for the next session on the same maildrop; one holds as long as its mailbox has
// the same MODSEQ and UIDVALIDITY.
#pragma once

#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "store/mailboxes.h"

namespace glasspost::store {

// Thread-safe.
class ListingCache {
 public:
  using Items = std::shared_ptr<const std::vector<MaildropItem>>;

  explicit ListingCache(std::size_t octets) : bound_(octets) {}

  Items Find(MailboxId mailbox, std::uint32_t uidvalidity, std::uint64_t modseq) {
    const std::lock_guard lock(mutex_);
    const auto at = by_mailbox_.find(mailbox);
    if (at == by_mailbox_.end() || at->second->uidvalidity != uidvalidity || at->second->modseq != modseq) return nullptr;
    used_.splice(used_.begin(), used_, at->second);
    return at->second->items;
  }
  void Put(MailboxId mailbox, std::uint32_t uidvalidity, std::uint64_t modseq, Items items) {
    const std::size_t size = Size(items);
    const std::lock_guard lock(mutex_);
    if (const auto at = by_mailbox_.find(mailbox); at != by_mailbox_.end()) Drop(at->second);
    if (size > bound_) return;
    used_.push_front({mailbox, uidvalidity, modseq, std::move(items)});
    by_mailbox_[mailbox] = used_.begin();
    octets_ += size;
    while (octets_ > bound_) Drop(std::prev(used_.end()));
  }
  std::size_t octets() {
    const std::lock_guard lock(mutex_);
    return octets_;
  }

 private:
  struct Kept {
    MailboxId mailbox;
    std::uint32_t uidvalidity;
    std::uint64_t modseq;
    Items items;
  };
  static std::size_t Size(const Items& items) { return items->size() * sizeof(MaildropItem) + 256; }
  void Drop(std::list<Kept>::iterator at) {
    octets_ -= Size(at->items);
    by_mailbox_.erase(at->mailbox);
    used_.erase(at);
  }

  const std::size_t bound_;
  std::mutex mutex_;
  std::list<Kept> used_;  // the latest first
  std::unordered_map<MailboxId, std::list<Kept>::iterator> by_mailbox_;
  std::size_t octets_ = 0;
};

}  // namespace glasspost::store
