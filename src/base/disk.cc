#include "base/disk.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace glasspost {
namespace {

constexpr mode_t kFolderMode = 0700, kFileMode = 0600;
constexpr const char* kBeside = ".new";

}  // namespace

std::unexpected<Error> SystemError(const std::string& what, const std::string& path) {
  const int code = errno;
  return Fail(what + ": " + std::strerror(code), path, code == ENOSPC || code == EDQUOT ? "make room" : "");
}

Expected<void> WriteAll(int fd, Octets octets, const std::string& path) {
  while (!octets.empty()) {
    const ssize_t n = ::write(fd, octets.data(), octets.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("cannot be written", path);
    octets.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Expected<void> SyncFile(int fd, const std::string& path) {
  if (::fsync(fd) != 0) return SystemError("cannot be written to the disk", path);
  return {};
}

Expected<void> SyncFileSystem(int fd, const std::string& path) {
  if (::syncfs(fd) != 0) return SystemError("cannot be written to the disk", path);
  return {};
}

bool SyncsWhole(int fd) {
  struct statfs status {};
  if (::fstatfs(fd, &status) != 0) return false;
  constexpr decltype(status.f_type) kXfs = 0x58465342, kF2fs = 0xF2F52010;
  switch (status.f_type) {
    case EXT4_SUPER_MAGIC:
    case BTRFS_SUPER_MAGIC:
    case TMPFS_MAGIC:
    case kXfs:
    case kF2fs:
      return true;
    default:
      return false;
  }
}

Expected<void> SyncFolder(const std::string& path) {
  const int folder = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return SystemError("cannot be opened", path);
  const auto synced = SyncFile(folder, path);
  ::close(folder);
  return synced;
}

Expected<int> WriteBeside(const std::string& path, Octets octets) {
  const std::string beside = path + kBeside;
  ::unlink(beside.c_str());  // of one that was interrupted
  const int file = ::open(beside.c_str(), O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, kFileMode);
  if (file < 0) return SystemError("cannot be written", path);
  auto written = WriteAll(file, octets, path);
  if (written) written = SyncFile(file, path);
  if (written) return file;
  ::close(file);
  ::unlink(beside.c_str());
  return std::unexpected(written.error());
}

Expected<void> PutInPlace(const std::string& path) {
  const std::string beside = path + kBeside;
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    const auto error = SystemError("cannot be written", path);
    ::unlink(beside.c_str());
    return error;
  }
  return SyncFolder(std::filesystem::absolute(path).parent_path().string());
}

Expected<void> WriteWhole(const std::string& path, Octets octets) {
  const auto file = WriteBeside(path, octets);
  if (!file) return std::unexpected(file.error());
  ::close(*file);  // nothing is left to be written: it is on the disk
  return PutInPlace(path);
}

Expected<int> MakeUnnamedFile() {
  const char* folder = std::getenv("TMPDIR");
  std::string path = folder != nullptr && *folder != '\0' ? folder : "/tmp";
  int file = ::open(path.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, kFileMode);
  if (file >= 0) return file;
  // Not every file system can make a file without a name.
  path += "/glasspost-XXXXXX";
  file = ::mkostemp(path.data(), O_CLOEXEC);
  if (file < 0) return SystemError("no temporary file can be made", path);
  ::unlink(path.c_str());
  return file;
}

Expected<void> MakeFolder(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  const std::filesystem::path above = std::filesystem::absolute(path).parent_path();
  if (!std::filesystem::exists(above, error)) {
    if (const auto made = MakeFolder(above); !made) return made;
  }
  if (::mkdir(path.c_str(), kFolderMode) != 0 && errno != EEXIST) return SystemError("cannot be made", path);
  return SyncFolder(above);
}

}  // namespace glasspost
