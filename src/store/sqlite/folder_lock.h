// The exclusive lock on a data folder: one process has it, for as long as it lives.
#pragma once

#include <string>
#include <utility>

#include "base/error.h"

namespace glasspost::store {

class FolderLock {
 public:
  FolderLock() = default;
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(file_, other.file_);
    return *this;
  }

  // Makes the folder (0700) if it is not there. The error names the process that has the lock.
  static Expected<FolderLock> Take(const std::string& folder);

 private:
  int file_ = -1;
};

}  // namespace glasspost::store
