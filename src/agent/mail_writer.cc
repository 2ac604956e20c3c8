#include "agent/mail_writer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <set>
#include <thread>
#include <utility>

#include "agent/mbox.h"
#include "base/ascii.h"
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
  Expected<void> Put(Octets octets) { return Gather(octets) ? Flush() : Expected<void>(); }
  // Is it time to flush?
  bool Gather(Octets octets) {
    buffer_ += octets;
    return buffer_.size() >= MailWriterLimits::kBuffer;
  }
  // Without line ends that are last, unless there is nothing else.
  Expected<void> FlushText() {
    const std::size_t last = buffer_.find_last_not_of('\n');
    if (last == std::string::npos) return Flush();
    const auto written = WriteAll(fd_, Octets(buffer_).substr(0, last + 1), path_);
    if (written) buffer_.erase(0, last + 1);
    return written;
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

constexpr Octets kFrom = "From ";
constexpr Octets kSender = "MAILER-DAEMON ";

// As a word of a place.
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
    if (log_ != nullptr && !log_->OnWithdrawn()) return std::unexpected(step.error());  // who reads it may count on them
    for (const std::string& name : names) ::unlink(name.c_str());                       // none of them counts: they come again
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
    for (std::size_t i = 0; i < waiting_.size(); ++i) {
      const Waiting& one = waiting_[i];
      if (const auto told = TellPlace(i); !told) return told;
      if (!Name(one)) return SystemError("cannot be named", one.name);
      names.push_back(one.name);
    }
    return {};
  }
  Expected<void> TellPlace(std::size_t nth) {
    if (log_ == nullptr) return {};
    if (path_word_.empty()) path_word_ = PathWord(path_);
    const std::string& name = waiting_[nth].name;
    const Octets base = Octets(name).substr(name.rfind('/') + 1);
    return log_->OnPlacing(nth, fmt::format("{} {} {}", maildir_ ? "maildir" : "eml", path_word_, base));
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
  std::string path_word_;
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
    if (!LockMbox(file_.fd())) {
      file_.Close();
      return LockedByAnother(path_);
    }
    begin_ = ::lseek(file_.fd(), 0, SEEK_END);
    const std::time_t seconds = clock_.Now() / kNanoseconds;
    std::tm utc{};
    ::gmtime_r(&seconds, &utc);
    char date[64];
    std::strftime(date, sizeof date, "%a %b %e %H:%M:%S %Y", &utc);
    const auto ended = EndOfBefore(date);
    if (!ended) return std::unexpected(ended.error());
    ends_ = {};
    held_ = 0;
    line_begins_ = ended_ = true;
    told_ = false;
    size_ = 0;
    digest_ = {};
    place_ = begin_ + static_cast<off_t>(ended->size());
    static_cast<void>(file_.Gather(*ended));
    return Put(fmt::format("{}{}{}\n", kFrom, kSender, date));
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
    if (step) step = Put(quoted_);
    return step;
  }

  Expected<std::vector<std::string>> Commit() override {
    if (!file_.open()) return std::vector<std::string>();
    auto step = TellPlace(true);
    if (step) step = file_.Sync();
    if (!step) {
      Abandon();
      return std::unexpected(step.error());
    }
    file_.Close();  // and gives the lock back
    return std::vector<std::string>{path_};
  }

  // What a program that is killed leaves here is seen by readers, and fetched again: no more than one.
  std::size_t most_waiting() const override { return 1; }

  void Abandon() override {
    if (!file_.open()) return;
    if (std::exchange(told_, false)) static_cast<void>(log_->OnWithdrawn());  // if not: what is cut off is no such message
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
    const std::string rest = last.size() < kFrom.size() ? fmt::format("{}{}", kFrom.substr(last.size()), kSender) : " ";
    return rest + date + "\n\n";
  }

  // Octets of the message. Of a large one a part is in the file early: never one that ends as a message does.
  Expected<void> Put(Octets octets) {
    size_ += octets.size();
    if (log_ != nullptr) digest_.Update(octets);
    if (!file_.Gather(octets)) return {};
    auto step = told_ ? Expected<void>() : TellPlace(false);
    if (step) step = file_.FlushText();
    return step;
  }
  Expected<void> TellPlace(bool whole) {
    if (log_ == nullptr) return {};
    if (path_word_.empty()) path_word_ = PathWord(path_);
    std::string place = fmt::format("mbox {} {}", path_word_, place_);
    if (whole) place += fmt::format(" {} {}", place_ + static_cast<off_t>(size_), Hex(digest_.Finish()));
    told_ = true;
    return log_->OnPlacing(0, place);
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
    return Put(quoted_);
  }
  // What of "From " was held back.
  void Release() { quoted_ += kFrom.substr(0, std::exchange(held_, 0)); }

  static constexpr off_t kTail = 1024;  // octets of what is there that are looked at: a postmark is shorter
  const std::string path_;
  const Clock& clock_;
  File file_;
  LineEnds ends_;
  off_t begin_ = -1;
  off_t place_ = 0;         // where its postmark begins
  std::uint64_t size_ = 0;  // from there
  Sha256 digest_;           // of that
  bool told_ = false;       // the log, where it begins
  std::string path_word_;
  std::string text_;
  std::string quoted_;
  std::size_t held_ = 0;     // octets of "From " at the beginning of a line, not written yet
  bool line_begins_ = true;  // only '>' have come of it, and what is held
  bool torn_ = false;
  bool ended_ = true;  // the last octet was a line end
};

struct Place {
  enum class Kind : std::uint8_t { kNone, kMaildir, kEml, kMbox } kind = Kind::kNone;
  std::string path;
  std::string name;
  off_t begin = 0;
  off_t end = 0;  // 0: it is not whole
  std::string digest;
};

std::optional<std::string> ParsePathWord(Octets word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '%') {
      out += word[i];
      continue;
    }
    const Octets digits = word.substr(i + 1, 2);
    unsigned value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc{} || digits.size() != 2 || end != digits.data() + 2 || value == 0) return {};
    out += static_cast<char>(value);
    i += 2;
  }
  return out.starts_with('/') ? std::optional(out) : std::nullopt;
}

std::optional<off_t> ParseOffset(Octets word) {
  const auto number = ParseNumber(word);
  if (!number || *number > (std::uint64_t{1} << 60)) return {};
  return static_cast<off_t>(*number);
}

Place ParsePlace(Octets text) {
  std::vector<Octets> words;
  for (std::size_t end = 0; end != Octets::npos && words.size() < 6; text.remove_prefix(end == Octets::npos ? 0 : end + 1)) {
    end = text.find(' ');
    words.push_back(text.substr(0, end));
  }
  const auto path = words.size() < 3 ? std::nullopt : ParsePathWord(words[1]);
  if (!path) return {};
  Place place;
  place.path = *path;
  if (words[0] == "mbox" && (words.size() == 3 || words.size() == 5)) {
    const auto begin = ParseOffset(words[2]);
    const auto end = words.size() == 5 ? ParseOffset(words[3]) : std::optional(off_t{0});
    if (!begin || !end || (words.size() == 5 && *end <= *begin)) return {};
    place.kind = Place::Kind::kMbox;
    place.begin = *begin;
    place.end = *end;
    if (words.size() == 5) place.digest = words[4];
    return place;
  }
  if (words.size() != 3 || words[2].empty() || words[2].contains('/')) return {};
  place.name = words[2];
  if (words[0] == "maildir") place.kind = Place::Kind::kMaildir;
  if (words[0] == "eml") place.kind = Place::Kind::kEml;
  return place;
}

bool IsNamed(const Place& place) {
  struct stat status {};
  const std::string folder = place.kind == Place::Kind::kMaildir ? place.path + "/new" : place.path;
  if (::lstat((folder + "/" + place.name).c_str(), &status) == 0) return true;
  if (place.kind != Place::Kind::kMaildir) return false;
  std::error_code error;  // ends the loop too
  for (std::filesystem::directory_iterator at(place.path + "/cur", error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename();
    if (name == place.name || name.starts_with(place.name + ":")) return true;
  }
  return false;
}

// Up to `most` octets there; fewer at the end of the file.
Expected<std::string> ReadAt(const File& file, off_t at, std::size_t most) {
  std::string octets(most, '\0');
  std::size_t got = 0;
  while (got < most) {
    const ssize_t n = ::pread(file.fd(), octets.data() + got, most - got, at + static_cast<off_t>(got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("cannot be read", file.path());
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  octets.resize(got);
  return octets;
}

Expected<bool> HasDigest(const File& file, const Place& place) {
  Sha256 digest;
  for (off_t at = place.begin; at < place.end;) {
    const auto most = std::min<off_t>(place.end - at, MailWriterLimits::kBuffer);
    const auto octets = ReadAt(file, at, static_cast<std::size_t>(most));
    if (!octets) return std::unexpected(octets.error());
    if (octets->empty()) return false;
    digest.Update(*octets);
    at += static_cast<off_t>(octets->size());
  }
  return Hex(digest.Finish()) == place.digest;
}

// From `begin` on there is a part of one message of ours, and nothing else: what other programs append begins with a postmark, or
// ends as a message does.
Expected<bool> IsTornMessage(const File& file, off_t begin, off_t size) {
  const std::string head = fmt::format("{}{}", kFrom, kSender);
  std::string before;  // the end of the piece before
  for (off_t at = begin; at < size;) {
    const auto octets = ReadAt(file, at, MailWriterLimits::kBuffer);
    if (!octets) return std::unexpected(octets.error());
    if (octets->empty()) return false;
    if (at == begin && Octets(head).substr(0, octets->size()) != Octets(*octets).substr(0, head.size())) return false;
    const std::string both = before + *octets;
    if (both.contains(fmt::format("\n{}", kFrom))) return false;
    before = both.substr(both.size() - std::min(both.size(), kFrom.size()));
    at += static_cast<off_t>(octets->size());
  }
  return !before.ends_with("\n\n");
}

// Is it there in full? If not, what is there of it is cut off, if it is the last.
Expected<bool> SettleInMbox(const Place& place, bool last) {
  if (place.end == 0 && !last) return false;
  std::error_code error;
  if (!std::filesystem::is_regular_file(place.path, error)) return false;
  File file;
  if (!file.Open(place.path, O_RDWR)) return SystemError("cannot be opened", place.path);
  if (!LockMbox(file.fd())) return LockedByAnother(place.path);
  const off_t size = ::lseek(file.fd(), 0, SEEK_END);
  if (place.end != 0 && size >= place.end) {
    const auto whole = HasDigest(file, place);
    if (!whole) return whole;
    if (!*whole) return false;  // somebody changed it, or it was torn and others came
    const auto synced = SyncFile(file.fd(), place.path);
    return synced ? Expected<bool>(true) : std::unexpected(synced.error());
  }
  const auto torn = !last || size <= place.begin ? Expected<bool>(false) : IsTornMessage(file, place.begin, size);
  if (!torn) return torn;
  if (*torn && ::ftruncate(file.fd(), place.begin) != 0) return SystemError("cannot be cut", place.path);
  return false;
}

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

Expected<std::size_t> PlacesKept(const std::vector<std::string>& places) {
  std::vector<Place> parsed;
  for (const std::string& place : places) parsed.push_back(ParsePlace(place));
  std::size_t kept = parsed.size();
  for (; kept > 0; --kept) {
    const Place& place = parsed[kept - 1];
    if (place.kind == Place::Kind::kNone) continue;
    if (place.kind != Place::Kind::kMbox) {
      if (IsNamed(place)) break;
      continue;
    }
    const auto there = SettleInMbox(place, kept == parsed.size());
    if (!there) return std::unexpected(there.error());
    if (*there) break;
  }
  std::set<std::string> folders;  // the octets are on the disk before there is a name
  for (std::size_t i = 0; i < kept; ++i) {
    if (parsed[i].kind == Place::Kind::kEml) folders.insert(parsed[i].path);
    if (parsed[i].kind != Place::Kind::kMaildir) continue;
    folders.insert(parsed[i].path + "/new");
    folders.insert(parsed[i].path + "/cur");
  }
  for (const std::string& folder : folders)
    if (const auto synced = SyncFolder(folder); !synced) return std::unexpected(synced.error());
  return kept;
}

}  // namespace glasspost::agent
