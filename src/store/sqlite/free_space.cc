#include "store/sqlite/free_space.h"

#include <sys/statvfs.h>

namespace glasspost::store {

bool FreeSpace::Low(std::uint64_t reusable) const {
  if (reserve_ == 0) return false;
  struct statvfs disk {};
  if (::statvfs(folder_.c_str(), &disk) != 0 || disk.f_blocks == 0) return false;
  const std::uint64_t free = disk.f_bavail < reserve_ / disk.f_frsize ? disk.f_bavail * disk.f_frsize : reserve_;
  return free < reserve_ / 4 || (free < reserve_ && reusable < reserve_ - free);
}

}  // namespace glasspost::store
