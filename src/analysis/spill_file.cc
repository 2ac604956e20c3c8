#include "analysis/spill_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "base/disk.h"

namespace glasspost::analysis {

SpillFile::~SpillFile() {
  if (fd_ >= 0) close(fd_);
}

SpillFile& SpillFile::Shared() {
  static SpillFile file;
  return file;
}

bool SpillFile::Open() {
  std::call_once(opened_, [this] { fd_ = MakeUnnamedFile().value_or(-1); });
  return fd_ >= 0;
}

std::optional<SpillFile::Place> SpillFile::Write(std::string_view octets) {
  if (!Open()) return {};
  const Place place{end_.fetch_add(octets.size()), octets.size()};
  for (std::uint64_t at = place.offset; !octets.empty();) {
    const ssize_t n = pwrite(fd_, octets.data(), octets.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return {};
    octets.remove_prefix(static_cast<std::size_t>(n));
    at += static_cast<std::uint64_t>(n);
  }
  return place;
}

bool SpillFile::Read(std::uint64_t offset, char* to, std::size_t length) const {
  while (length > 0) {
    const ssize_t n = pread(fd_, to, length, static_cast<off_t>(offset));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    to += n;
    length -= static_cast<std::size_t>(n);
    offset += static_cast<std::uint64_t>(n);
  }
  return true;
}

// Where the file system cannot do it, the blocks stay until the end: no loss but the disk's.
void SpillFile::Free(const Place& place) {
  if (fd_ < 0 || place.length == 0) return;
  [[maybe_unused]] const int freed = fallocate(fd_, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(place.offset),
                                               static_cast<off_t>(place.length));
}

}  // namespace glasspost::analysis
