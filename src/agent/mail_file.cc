#include "agent/mail_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <thread>

namespace glasspost::agent {
namespace {

constexpr mode_t kFileMode = 0600;

}  // namespace

bool MailFile::Open(const std::string& path, int flags) {
  path_ = path;
  fd_ = ::open(path.c_str(), flags | O_CLOEXEC, kFileMode);
  return fd_ >= 0;
}

void MailFile::Close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  buffer_.clear();
}

Expected<void> MailFile::FlushText() {
  const std::size_t last = buffer_.find_last_not_of('\n');
  if (last == std::string::npos) return Flush();
  const auto written = WriteAll(fd_, Octets(buffer_).substr(0, last + 1), path_);
  if (written) buffer_.erase(0, last + 1);
  return written;
}

Expected<void> MailFile::Flush() {
  const auto written = WriteAll(fd_, buffer_, path_);
  if (written) buffer_.clear();
  return written;
}

Expected<void> MailFile::Sync() {
  if (const auto flushed = Flush(); !flushed) return flushed;
  return SyncFile(fd_, path_);
}

// fcntl and flock, as other programs do it.
bool LockMbox(int fd) {
  for (int tenths = 0; tenths < MailWriterLimits::kLockSeconds * 10; ++tenths) {
    struct flock all {};
    all.l_type = F_WRLCK;
    all.l_whence = SEEK_SET;
    if (::fcntl(fd, F_SETLK, &all) == 0 && ::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  return false;
}

std::unexpected<Error> LockedByAnother(const std::string& path) {
  return Fail("another program has it locked", path, "try again when that is done");
}

std::string PathWord(const std::string& path) {
  std::string out;
  for (const char c : std::filesystem::absolute(path).string()) {
    if (c <= ' ' || c >= 0x7f || c == '%')
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    else
      out += c;
  }
  return out;
}

}  // namespace glasspost::agent
