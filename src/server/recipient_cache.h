// What addresses resolve to, remembered: asking the store for each RCPT would cost more than all else about it. Only this process
// changes the directory (the data folder is locked), and says so by Invalidate. Any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "store/directory.h"

namespace glasspost::server {

class RecipientCache {
 public:
  // Stops a harvest of addresses from filling the memory: beyond it all is forgotten.
  static constexpr std::size_t kKept = 20'000;
  using Shared = std::shared_ptr<const store::Resolution>;

  // `directory` outlives it.
  explicit RecipientCache(store::Directory& directory) : directory_(directory) {}

  // Null: not known; ask.
  Shared Find(const store::AddressName& name);
  // Of the store; remembered if nothing in it depends on what accounts hold at the moment (quota).
  void Ask(store::AddressName name, store::Done<Shared> done);
  // The directory has changed, and the change is committed.
  void Invalidate();

 private:
  // Unlike an address's text, which may have two '@'.
  static std::string KeyOf(const store::AddressName& name);

  store::Directory& directory_;
  std::mutex mutex_;
  std::unordered_map<std::string, Shared> known_;
  std::uint64_t generation_ = 0;
};

}  // namespace glasspost::server
