#include "store/sqlite/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace glasspost::store {
namespace {

std::string Reason() { return std::strerror(errno); }

std::string HolderText(int file) {
  char text[32] = {};
  const ssize_t got = ::pread(file, text, sizeof text - 1, 0);
  const std::string pid(text, got > 0 ? static_cast<std::size_t>(got) : 0);
  return pid.empty() ? "another process" : "process " + pid.substr(0, pid.find('\n'));
}

}  // namespace

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

Expected<FolderLock> FolderLock::Take(const std::string& folder) {
  std::error_code error;
  std::filesystem::path path(folder);
  if (!path.has_filename()) path = path.parent_path();
  if (!path.parent_path().empty()) std::filesystem::create_directories(path.parent_path(), error);
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Fail("cannot make the data folder: " + Reason(), folder);
  const std::string name = (path / "lock").string();
  FolderLock lock;
  lock.file_ = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (lock.file_ < 0) return Fail("cannot open the lock: " + Reason(), name);
  if (::flock(lock.file_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return Fail("cannot lock: " + Reason(), name);
    return Fail("the data folder is in use by " + HolderText(lock.file_), folder, "stop that server, or choose another folder");
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(lock.file_, 0) != 0 || ::pwrite(lock.file_, pid.data(), pid.size(), 0) < 0) {
    // Who has the lock is only a help to a person; the disk may be full.
  }
  return lock;
}

}  // namespace glasspost::store
