#include "store/sqlite/free_space.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <limits>

namespace glasspost::store {

std::uint64_t FreeSpace::Room(std::uint64_t reusable) const {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  if (reserve_ == 0) return kMost;
  struct statvfs disk {};
  if (::statvfs(folder_.c_str(), &disk) != 0 || disk.f_blocks == 0) return kMost;
  const std::uint64_t free = disk.f_bavail < kMost / disk.f_frsize ? disk.f_bavail * disk.f_frsize : kMost;
  if (free < reserve_ / 4) return 0;
  const std::uint64_t all = free + std::min(reusable, kMost - free);
  return all - std::min(all, reserve_);
}

}  // namespace glasspost::store
