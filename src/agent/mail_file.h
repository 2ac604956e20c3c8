// What those who keep mail in files (agent/mail_writer.h) share: a file that is written through a buffer, line ends as files have
// them, the lock of an mbox, and paths as words of a place.
#pragma once

#include <string>
#include <utility>

#include "agent/mail_writer.h"
#include "base/disk.h"
#include "base/error.h"
#include "base/octets.h"

namespace glasspost::agent {

// A file that is being written, through a buffer; the first error stays.
class MailFile {
 public:
  MailFile() = default;
  MailFile(MailFile&& from) noexcept
      : path_(std::move(from.path_)), fd_(std::exchange(from.fd_, -1)), buffer_(std::move(from.buffer_)) {}
  MailFile& operator=(MailFile&& from) noexcept {
    Close();
    path_ = std::move(from.path_);
    fd_ = std::exchange(from.fd_, -1);
    buffer_ = std::move(from.buffer_);
    return *this;
  }
  ~MailFile() { Close(); }
  // For its owner only, if it is made. False: errno says why.
  bool Open(const std::string& path, int flags);
  void Close();
  Expected<void> Put(Octets octets) { return Gather(octets) ? Flush() : Expected<void>(); }
  // Is it time to flush?
  bool Gather(Octets octets) {
    buffer_ += octets;
    return buffer_.size() >= MailWriterLimits::kBuffer;
  }
  // Without line ends that are last, unless there is nothing else.
  Expected<void> FlushText();
  Expected<void> Flush();
  Expected<void> Sync();
  int fd() const { return fd_; }
  bool open() const { return fd_ >= 0; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  int fd_ = -1;
  std::string buffer_;
};

// CRLF to LF, in any pieces; a CR alone stays.
class LineEnds {
 public:
  void Append(std::string& out, Octets octets) {
    for (const char c : octets) {
      if (cr_ && c != '\n') out += '\r';
      cr_ = c == '\r';
      if (!cr_) out += c;
    }
  }
  void Finish(std::string& out) {
    if (std::exchange(cr_, false)) out += '\r';
  }

 private:
  bool cr_ = false;
};

// Waits MailWriterLimits::kLockSeconds for it at most.
bool LockMbox(int fd);
std::unexpected<Error> LockedByAnother(const std::string& path);

// As a word of a place.
std::string PathWord(const std::string& path);

}  // namespace glasspost::agent
