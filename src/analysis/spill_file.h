// A temporary file for what would be too much to hold in memory: written at its end, read anywhere, given back piece by piece. It
// has no name and goes with the process. Any number of threads; what one wrote another may read once it was told the place.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

namespace glasspost::analysis {

class SpillFile {
 public:
  struct Place {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };

  SpillFile() = default;
  ~SpillFile();
  SpillFile(const SpillFile&) = delete;
  SpillFile& operator=(const SpillFile&) = delete;

  // The one that all texts of the process share: however many there are, it is one descriptor. In $TMPDIR, else /tmp.
  static SpillFile& Shared();

  // Nothing where it cannot be written.
  std::optional<Place> Write(std::string_view octets);
  bool Read(std::uint64_t offset, char* to, std::size_t length) const;
  // Its octets are not needed any more: the disk may have their blocks back.
  void Free(const Place& place);

  int descriptor() const { return fd_; }  // -1: nothing was written yet

 private:
  bool Open();

  std::once_flag opened_;
  int fd_ = -1;
  std::atomic<std::uint64_t> end_ = 0;
};

}  // namespace glasspost::analysis
