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

// Names in it are on the disk. One that cannot be synced, or not by us, is left to the system.
Expected<void> SyncFolder(const std::filesystem::path& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const int error = folder < 0 || ::fsync(folder) != 0 ? errno : 0;
  if (folder >= 0) ::close(folder);
  if (error == 0 || error == EACCES || error == EINVAL || error == EROFS) return {};
  return Fail(std::string("cannot sync the folder: ") + std::strerror(error), path.string());
}

// And those above it, each synced into the one above: mail in a folder that a power cut takes away would be lost with it.
Expected<void> MakeFolder(const std::filesystem::path& path) {
  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
  std::error_code error;
  if (!std::filesystem::exists(parent, error)) {
    if (auto made = MakeFolder(parent); !made) return made;
  }
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return Fail("cannot make the data folder: " + Reason(), path.string());
  return SyncFolder(parent);  // also if it was there: whoever made it may have died before this
}

}  // namespace

FolderLock::~FolderLock() {
  if (file_ >= 0) ::close(file_);
}

Expected<FolderLock> FolderLock::Take(const std::string& folder) {
  std::filesystem::path path(folder);
  if (!path.has_filename()) path = path.parent_path();
  if (const auto made = MakeFolder(path); !made) return std::unexpected(made.error());
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
