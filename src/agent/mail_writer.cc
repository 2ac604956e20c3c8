#include "agent/mail_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <thread>
#include <utility>

#include "agent/mbox.h"
#include "base/disk.h"
#include "base/sha256.h"
#include "net/host_name.h"

namespace glasspost::agent {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr std::int64_t kNanoseconds = 1'000'000'000;

std::string HostName() {
  std::string out;
  for (const char c : net::ThisHost()) {
    if (c == '/')
      out += "\\057";
    else if (c == ':')
      out += "\\072";
    else
      out += c;
  }
  return out;
}

// A file that is being written, through a buffer; the first error stays.
class File {
 public:
  File() = default;
  File(File&& from) noexcept : path_(std::move(from.path_)), fd_(std::exchange(from.fd_, -1)), buffer_(std::move(from.buffer_)) {}
  File& operator=(File&& from) noexcept {
    Close();
    path_ = std::move(from.path_);
    fd_ = std::exchange(from.fd_, -1);
    buffer_ = std::move(from.buffer_);
    return *this;
  }
  ~File() { Close(); }
  bool Open(const std::string& path, int flags) {
    path_ = path;
    fd_ = ::open(path.c_str(), flags | O_CLOEXEC, kFileMode);
    return fd_ >= 0;
  }
  void Close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
    buffer_.clear();
  }
  Expected<void> Put(Octets octets) {
    buffer_ += octets;
    return buffer_.size() < MailWriterLimits::kBuffer ? Expected<void>() : Flush();
  }
  Expected<void> Flush() {
    const auto written = WriteAll(fd_, buffer_, path_);
    if (written) buffer_.clear();
    return written;
  }
  Expected<void> Sync() {
    if (const auto flushed = Flush(); !flushed) return flushed;
    return SyncFile(fd_, path_);
  }
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

// Maildir and single files: written beside, named when they are whole.
class FolderWriter final : public MailWriter {
 public:
  FolderWriter(MailFormat format, std::string path, const Clock& clock, Randomness& randomness)
      : maildir_(format == MailFormat::kMaildir),
        path_(std::move(path)),
        host_(HostName()),
        clock_(clock),
        randomness_(randomness) {}
  ~FolderWriter() override {
    Abandon();
    Drop();
  }

  Expected<void> Prepare() {
    if (const auto made = MakeFolder(path_); !made) return made;
    if (!maildir_) return {};
    for (const char* part : {"/tmp", "/new", "/cur"}) {
      if (const auto made = MakeFolder(path_ + part); !made) return made;
    }
    return {};
  }

  Expected<void> Begin() override {
    const Timestamp now = clock_.Now();
    const std::string drawn = randomness_.Draw(6);
    name_ = fmt::format("{}.M{:06}P{}Q{}R{}.{}", now / kNanoseconds, now % kNanoseconds / 1000, ::getpid(), ++count_,
                        Hex(AsBytes(drawn)), host_);
    if (!maildir_) name_ += ".eml";
    size_ = 0;
    ends_ = {};
    if (!file_.Open(path_ + (maildir_ ? "/tmp/" : "/.") + name_, O_WRONLY | O_CREAT | O_EXCL))
      return SystemError("cannot be made", file_.path());
    return {};
  }

  Expected<void> Write(Octets octets) override {
    if (!maildir_) return Put(octets);
    text_.clear();
    ends_.Append(text_, octets);
    return Put(text_);
  }

  Expected<void> End() override {
    text_.clear();
    ends_.Finish(text_);
    auto step = Put(text_);
    if (step) step = file_.Flush();
    if (!step) return step;
    waiting_.push_back({std::move(file_), Folder() + "/" + (maildir_ ? fmt::format("{},S={}", name_, size_) : name_)});
    return {};
  }

  Expected<std::vector<std::string>> Commit() override {
    std::vector<std::string> names;
    if (waiting_.empty()) return names;
    auto step = Settle(names);
    Drop();
    if (step) step = SyncFolder(Folder());
    if (step) return names;
    for (const std::string& name : names) ::unlink(name.c_str());  // none of them counts: they come again
    return std::unexpected(step.error());
  }

  void Abandon() override {
    if (file_.open()) Unlink(file_);
  }

  std::size_t most_waiting() const override { return MailWriterLimits::kWaiting; }

 private:
  struct Waiting {
    File file;
    std::string name;  // that it gets
  };

  std::string Folder() const { return maildir_ ? path_ + "/new" : path_; }
  Expected<void> Put(Octets octets) {
    size_ += octets.size();
    return file_.Put(octets);
  }
  // All octets first, then the names: none is seen that is not whole.
  Expected<void> Settle(std::vector<std::string>& names) {
    if (waiting_.size() > 1 && SyncsWhole(waiting_.front().file.fd())) {
      // The file that has been open longest tells of every error since.
      const auto synced = SyncFileSystem(waiting_.front().file.fd(), waiting_.front().file.path());
      if (!synced) return synced;
    } else {
      for (const Waiting& one : waiting_)
        if (const auto synced = SyncFile(one.file.fd(), one.file.path()); !synced) return synced;
    }
    for (Waiting& one : waiting_) {
      if (!Name(one)) {
        return SystemError("cannot be named", one.name);
      }
      names.push_back(one.name);
    }
    return {};
  }
  // A link, not a rename: it never takes the place of another file. Where there are no links the name, which is drawn, must do.
  static bool Name(const Waiting& one) {
    const char* const from = one.file.path().c_str();
    if (::link(from, one.name.c_str()) == 0) return true;
    if (errno != EPERM && errno != EOPNOTSUPP && errno != ENOSYS) return false;
    return ::renameat2(AT_FDCWD, from, AT_FDCWD, one.name.c_str(), RENAME_NOREPLACE) == 0 ||
           (errno == EINVAL && ::access(one.name.c_str(), F_OK) != 0 && ::rename(from, one.name.c_str()) == 0);
  }
  static void Unlink(File& file) {
    file.Close();
    ::unlink(file.path().c_str());
  }
  void Drop() {
    for (Waiting& one : waiting_) Unlink(one.file);
    waiting_.clear();
  }

  const bool maildir_;
  const std::string path_;
  const std::string host_;
  const Clock& clock_;
  Randomness& randomness_;
  File file_;
  std::vector<Waiting> waiting_;
  LineEnds ends_;
  std::string name_;
  std::string text_;
  std::uint64_t size_ = 0;
  unsigned count_ = 0;
};

// Appends; a message that is not committed is cut off again. Locked as other programs do it: fcntl and flock, the file only.
class MboxWriter final : public MailWriter {
 public:
  MboxWriter(std::string path, const Clock& clock) : path_(std::move(path)), clock_(clock) {}
  ~MboxWriter() override { Abandon(); }

  Expected<void> Prepare() {
    const std::string folder = std::filesystem::absolute(path_).parent_path();
    if (const auto made = MakeFolder(folder); !made) return made;
    std::error_code error;
    if (std::filesystem::is_directory(path_, error)) return Fail("is a folder; an mbox is a file", path_, "say --format maildir");
    const bool fresh = !std::filesystem::exists(path_, error);
    File file;
    if (!file.Open(path_, O_WRONLY | O_CREAT | O_APPEND)) return SystemError("cannot be opened", path_);
    return fresh ? SyncFolder(folder) : Expected<void>();
  }

  Expected<void> Begin() override {
    if (!file_.Open(path_, O_RDWR | O_APPEND)) return SystemError("cannot be opened", path_);
    if (!Lock()) {
      file_.Close();
      return Fail("another program has it locked", path_, "try again when that is done");
    }
    begin_ = ::lseek(file_.fd(), 0, SEEK_END);
    const std::time_t seconds = clock_.Now() / kNanoseconds;
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    char date[64];
    std::strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &utc);
    const auto ended = EndOfBefore(date);
    if (!ended) return std::unexpected(ended.error());
    const std::string head = *ended + std::string(kFrom) + kSender + date + "\n";
    ends_ = {};
    held_ = 0;
    line_begins_ = ended_ = true;
    return file_.Put(head);
  }

  Expected<void> Write(Octets octets) override {
    text_.clear();
    ends_.Append(text_, octets);
    return Quote(text_);
  }

  Expected<void> End() override {
    text_.clear();
    ends_.Finish(text_);
    auto step = Quote(text_);
    quoted_.clear();
    Release();
    quoted_ += ended_ ? "\n" : "\n\n";
    if (step) step = file_.Put(quoted_);
    return step;
  }

  Expected<std::vector<std::string>> Commit() override {
    if (!file_.open()) return std::vector<std::string>();
    if (const auto synced = file_.Sync(); !synced) {
      Abandon();
      return std::unexpected(synced.error());
    }
    file_.Close();  // and gives the lock back
    return std::vector<std::string>{path_};
  }

  // What a program that is killed leaves here is seen by readers, and fetched again: no more than one.
  std::size_t most_waiting() const override { return 1; }

  void Abandon() override {
    if (!file_.open()) return;
    // If that fails too, a reader sees a message that is cut; it is fetched again.
    if (begin_ >= 0 && ::ftruncate(file_.fd(), begin_) != 0) errno = 0;
    file_.Close();
  }

  bool found_torn() const override { return torn_; }

 private:
  // What must come first, so that what is there ends where a message does: what somebody left unfinished stays a message of its
  // own, and a postmark of which a part is there becomes whole, or it would be a line of the message before it.
  Expected<std::string> EndOfBefore(const std::string& date) {
    std::string tail(static_cast<std::size_t>(std::min<off_t>(begin_, kTail)), '\0');
    const ssize_t got = ::pread(file_.fd(), tail.data(), tail.size(), begin_ - static_cast<off_t>(tail.size()));
    if (got < 0) return SystemError("cannot be read", path_);
    tail.resize(static_cast<std::size_t>(got));
    if (tail.empty() || tail.ends_with("\n\n") || tail.ends_with("\n\r\n")) return std::string();
    torn_ = true;
    if (tail.ends_with('\n')) return std::string("\n");
    const std::size_t line = tail.rfind('\n') + 1;  // 0: there is none
    const Octets before = Octets(tail).substr(0, line), last = Octets(tail).substr(line);
    const bool first = line == 0 && begin_ == static_cast<off_t>(tail.size());
    const bool may_begin = first || before.ends_with("\n\n") || before.ends_with("\n\r\n");
    if (!may_begin || !IsTornPostmark(last)) return std::string("\n\n");
    std::string rest = last.size() < kFrom.size() ? std::string(kFrom.substr(last.size())) + kSender : std::string(" ");
    return rest + date + "\n\n";
  }

  bool Lock() {
    for (int tenths = 0; tenths < MailWriterLimits::kLockSeconds * 10; ++tenths) {
      struct flock all {};
      all.l_type = F_WRLCK;
      all.l_whence = SEEK_SET;
      if (::fcntl(file_.fd(), F_SETLK, &all) == 0 && ::flock(file_.fd(), LOCK_EX | LOCK_NB) == 0) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }

  // A line of ">…>From " gets one more: it can be taken away again, and no line begins a message that is none.
  Expected<void> Quote(Octets text) {
    quoted_.clear();
    for (const char c : text) {
      ended_ = c == '\n';
      if (line_begins_ && held_ == 0 && c == '>') {
        quoted_ += c;
      } else if (line_begins_ && c == kFrom[held_]) {
        if (++held_ < kFrom.size()) continue;
        quoted_ += '>';
        Release();
        line_begins_ = false;
      } else {
        Release();
        quoted_ += c;
        line_begins_ = ended_;
      }
    }
    return file_.Put(quoted_);
  }
  // What of "From " was held back.
  void Release() { quoted_ += kFrom.substr(0, std::exchange(held_, 0)); }

  static constexpr Octets kFrom = "From ";
  static constexpr const char* kSender = "MAILER-DAEMON ";
  static constexpr off_t kTail = 1024;  // octets of what is there that are looked at: a postmark is shorter
  const std::string path_;
  const Clock& clock_;
  File file_;
  LineEnds ends_;
  off_t begin_ = -1;
  std::string text_;
  std::string quoted_;
  std::size_t held_ = 0;     // octets of "From " at the beginning of a line, not written yet
  bool line_begins_ = true;  // only '>' have come of it, and what is held
  bool torn_ = false;
  bool ended_ = true;  // the last octet was a line end
};

template <class W>
Expected<std::unique_ptr<MailWriter>> Prepared(std::unique_ptr<W> writer) {
  if (const auto ready = writer->Prepare(); !ready) return std::unexpected(ready.error());
  return writer;
}

}  // namespace

Expected<std::unique_ptr<MailWriter>> OpenMailWriter(MailFormat format, const std::string& path, const Clock& clock,
                                                     Randomness& randomness) {
  if (format == MailFormat::kMbox) return Prepared(std::make_unique<MboxWriter>(path, clock));
  return Prepared(std::make_unique<FolderWriter>(format, path, clock, randomness));
}

}  // namespace glasspost::agent
