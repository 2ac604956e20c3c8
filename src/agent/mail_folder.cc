#include "agent/mail_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "agent/mbox.h"
#include "base/ascii.h"
#include "base/disk.h"
#include "wire/mime/message_scan.h"

namespace glasspost::agent {
namespace {

using Limits = MailSourceLimits;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr int kOpenFlags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW;

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_;
};

// Up to `length` octets at `offset`, fewer only at the file's end.
Expected<std::size_t> ReadAt(int fd, char* into, std::size_t length, std::uint64_t offset, const std::string& path) {
  std::size_t got = 0;
  while (got < length) {
    const ssize_t n = ::pread(fd, into + got, length - got, static_cast<off_t>(offset + got));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return SystemError("cannot be read", path);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  return got;
}

// The beginning of a message of `size` octets: until its header has ended, and further if it has parts.
class Beginning {
 public:
  // `read(into, length, offset)` gives octets as they lie there.
  template <class Read>
  Expected<MailHead> Take(std::uint64_t size, Read&& read) {
    text_.clear();
    scan_.Reset({.digest = false, .journey = false, .limits = {}});
    std::size_t wanted = Limits::kFirstRead;
    while (true) {
      const std::size_t begin = text_.size();
      text_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(wanted, size)));
      const Expected<std::size_t> got = read(text_.data() + begin, text_.size() - begin, begin);
      if (!got) return std::unexpected(got.error());
      const bool end = *got < text_.size() - begin || begin + *got == size;
      text_.resize(begin + *got);
      if (end || wanted >= Limits::kHeader) break;
      if (!scan_.header_ended()) scan_.OnOctets(Octets(text_).substr(begin));
      if (scan_.header_ended()) {
        if (wanted >= Limits::kBeginning || !MayHaveParts(scan_.header())) break;
        wanted = Limits::kBeginning;
      } else {
        wanted *= 2;
      }
    }
    return MailHead{text_, size, text_.size() >= size};
  }

 private:
  static bool MayHaveParts(Octets header) {
    constexpr Octets kMultipart = "multipart/";
    for (std::size_t slash = header.find('/'); slash != Octets::npos; slash = header.find('/', slash + 1)) {
      if (slash + 1 >= kMultipart.size() &&
          EqualsNoCase(header.substr(slash + 1 - kMultipart.size(), kMultipart.size()), kMultipart))
        return true;
    }
    return false;
  }

  std::string text_;
  mime::MessageScan scan_;
};

// A Maildir, or a folder of .eml files: a file each.
class FilesFolder final : public MailSource {
 public:
  FilesFolder(std::string path, bool maildir) : path_(std::move(path)), maildir_(maildir) {}

  Expected<void> Scan() {
    files_.clear();
    for (const bool fresh : {true, false}) {
      if (fresh && !maildir_) continue;
      if (const auto scanned = ScanOne(fresh); !scanned) return scanned;
    }
    std::ranges::sort(files_, [](const File& a, const File& b) { return ComesBefore(a.Base(), b.Base()); });
    return {};
  }

  std::size_t count() const override { return files_.size(); }

  MailEntry Entry(std::size_t place) const override {
    const File& file = files_[place];
    MailEntry entry;
    entry.number = place + 1;
    entry.id = std::string(maildir_ ? file.Base() : Octets(file.name));
    if (!maildir_) return entry;
    const Octets flags = file.Flags();
    entry.flags_known = true;
    entry.seen = flags.contains('S') && !file.fresh;
    entry.answered = flags.contains('R');
    entry.flagged = flags.contains('F');
    const auto seconds = ParseNumber(Octets(file.name).substr(0, file.name.find('.')));
    if (seconds && *seconds < (std::uint64_t{1} << 33)) entry.arrived = static_cast<std::int64_t>(*seconds) * kSecond;
    return entry;
  }

  Expected<void> ReadHeads(std::span<const std::size_t> places, const OnHead& on_head) override {
    Expected<void> trouble;
    for (const std::size_t place : places) {
      struct stat status {};
      const auto file = OpenFile(place, status);
      if (!file && gone_) continue;
      const auto head = !file ? std::unexpected(file.error()) : ReadBeginning(place, *file, status);
      if (!head) {
        if (trouble) trouble = std::unexpected(head.error());
        continue;
      }
      MailEntry entry = Entry(place);
      if (entry.arrived == kNoTime) entry.arrived = status.st_mtim.tv_sec * kSecond;
      on_head(place, entry, *head);
    }
    return trouble;
  }

  Expected<void> Read(std::size_t place, const Sink& sink) override {
    struct stat status {};
    const auto file = OpenFile(place, status);
    if (!file) return std::unexpected(file.error());
    std::string piece(Limits::kPiece, '\0');
    for (std::uint64_t at = 0;; at += piece.size()) {
      const auto got = ReadAt(file->get(), piece.data(), piece.size(), at, PathOf(place));
      if (!got) return std::unexpected(got.error());
      if (*got > 0) {
        if (const auto taken = sink(Octets(piece).substr(0, *got)); !taken) return taken;
      }
      if (*got < piece.size()) return {};
    }
  }

  Expected<void> Mark(std::size_t place, Flag flag) override {
    if (!maildir_) return {};
    struct stat status {};
    if (const auto file = OpenFile(place, status); !file) return std::unexpected(file.error());  // also finds it where it is now
    File& file = files_[place];
    std::string flags(file.Flags());
    std::string more = flag == Flag::kSeen ? "S" : flag == Flag::kAnswered ? "RS" : "PS";  // who answers has read it
    for (const char letter : more)
      if (!flags.contains(letter)) flags += letter;
    std::ranges::sort(flags);
    const File marked{fmt::format("{}:2,{}", file.Base(), flags), false};
    if (marked.name == file.name && !file.fresh) return {};
    const auto rename = [&](unsigned how) {
      return ::renameat2(FolderOf(file), file.name.c_str(), FolderOf(marked), marked.name.c_str(), how) == 0;
    };
    // Not all file systems know the flag; the name is nobody else's as long as the Maildir's rules are kept.
    if (!rename(RENAME_NOREPLACE) && !(errno == EINVAL && rename(0))) return SystemError("cannot be marked", PathOf(place));
    file = marked;
    return {};
  }

  Expected<void> Remove(std::span<const std::size_t> places) override {
    for (const std::size_t place : places) {
      struct stat status {};
      if (const auto file = OpenFile(place, status); !file) return std::unexpected(file.error());
      if (::unlinkat(FolderOf(files_[place]), files_[place].name.c_str(), 0) != 0)
        return SystemError("cannot be removed", PathOf(place));
    }
    return {};
  }

 private:
  struct File {
    std::string name;
    bool fresh = false;  // in new

    Octets Base() const { return Octets(name).substr(0, name.rfind(":2,")); }
    Octets Flags() const {
      const std::size_t colon = name.rfind(":2,");
      return colon == std::string::npos ? Octets() : Octets(name).substr(colon + 3);
    }
  };

  std::string FolderName(bool fresh) const { return !maildir_ ? path_ : path_ + (fresh ? "/new" : "/cur"); }
  std::string PathOf(std::size_t place) const { return FolderName(files_[place].fresh) + "/" + files_[place].name; }
  int FolderOf(const File& file) const { return folders_[file.fresh ? 1 : 0].get(); }

  Expected<void> ScanOne(bool fresh) {
    Descriptor& folder = folders_[fresh ? 1 : 0];
    const int follow = maildir_ ? O_NOFOLLOW : 0;
    const std::string name = FolderName(fresh);
    folder = Descriptor(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow));
    if (!folder) return SystemError("cannot be opened", name);
    DIR* const list = ::fdopendir(::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (list == nullptr) return SystemError("cannot be read", name);
    while (const dirent* const entry = ::readdir(list)) {
      const Octets file = entry->d_name;
      if (file.starts_with('.') || !IsFile(folder.get(), *entry)) continue;
      if (!maildir_ && !(file.size() > 4 && EqualsNoCase(file.substr(file.size() - 4), ".eml"))) continue;
      if (files_.size() == Limits::kMessages) break;
      files_.push_back({std::string(file), fresh});
    }
    ::closedir(list);
    if (files_.size() == Limits::kMessages) return Fail(fmt::format("has more than {} messages", Limits::kMessages), path_);
    return {};
  }

  static bool IsFile(int folder, const dirent& entry) {
    if (entry.d_type != DT_UNKNOWN) return entry.d_type == DT_REG;
    struct stat status {};
    return ::fstatat(folder, entry.d_name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(status.st_mode);
  }

  Expected<MailHead> ReadBeginning(std::size_t place, const Descriptor& file, const struct stat& status) {
    return beginning_.Take(static_cast<std::uint64_t>(status.st_size), [&](char* into, std::size_t n, std::size_t at) {
      return ReadAt(file.get(), into, n, at, PathOf(place));
    });
  }

  // Another program may have read it meanwhile, and so given it another name.
  Expected<Descriptor> OpenFile(std::size_t place, struct stat& status) {
    Descriptor file(::openat(FolderOf(files_[place]), files_[place].name.c_str(), kOpenFlags));
    if (!file && errno == ENOENT && maildir_ && FindAgain(files_[place]))
      file = Descriptor(::openat(FolderOf(files_[place]), files_[place].name.c_str(), kOpenFlags));
    gone_ = !file && (errno == ENOENT || errno == ELOOP);
    if (!file || ::fstat(file.get(), &status) != 0) return SystemError("cannot be opened", PathOf(place));
    gone_ = !S_ISREG(status.st_mode);
    if (gone_) return Fail("is no file", PathOf(place));
    return file;
  }

  bool FindAgain(File& file) const {
    FilesFolder now(path_, true);
    if (!now.Scan()) return false;
    const auto at = std::ranges::find(now.files_, file.Base(), &File::Base);
    if (at == now.files_.end()) return false;
    file = *at;
    return true;
  }

  const std::string path_;
  const bool maildir_;
  Descriptor folders_[2];  // cur, or the only one; new
  std::vector<File> files_;
  bool gone_ = false;  // what OpenFile was to open is no message any more
  Beginning beginning_;
};

// An mbox, or one message that is the whole file.
class MboxFolder final : public MailSource {
 public:
  MboxFolder(std::string path, Descriptor file) : path_(std::move(path)), file_(std::move(file)) {}

  Expected<void> Scan(const struct stat& status) {
    MboxSplitter splitter(Limits::kMessages);
    std::string piece(Limits::kPiece, '\0');
    std::uint64_t at = 0;
    while (!splitter.foreign()) {
      const auto got = ReadAt(file_.get(), piece.data(), piece.size(), at, path_);
      if (!got) return std::unexpected(got.error());
      splitter.Feed(Octets(piece).substr(0, *got));
      at += *got;
      if (*got < piece.size()) break;
    }
    splitter.Finish();
    if (splitter.cut()) return Fail(fmt::format("has more than {} messages", Limits::kMessages), path_);
    mbox_ = !splitter.foreign();
    torn_ = splitter.torn();
    messages_ = splitter.messages();
    if (!mbox_) messages_ = {{0, static_cast<std::uint64_t>(status.st_size)}};
    changed_ = status.st_mtim.tv_sec * kSecond;
    return {};
  }

  std::size_t count() const override { return messages_.size(); }
  std::string damage() const override { return torn_ ? "ends without an empty line: its last message may be cut" : ""; }
  MailEntry Entry(std::size_t place) const override {
    MailEntry entry;
    entry.number = place + 1;
    entry.flags_in_header = mbox_;
    if (!mbox_) entry.arrived = changed_;
    return entry;
  }

  Expected<void> ReadHeads(std::span<const std::size_t> places, const OnHead& on_head) override {
    for (const std::size_t place : places) {
      const MboxMessage& message = messages_[place];
      const auto head = beginning_.Take(message.length, [&](char* into, std::size_t n, std::size_t at) {
        return ReadAt(file_.get(), into, n, message.offset + at, path_);
      });
      if (!head) return std::unexpected(head.error());
      on_head(place, Entry(place), *head);
    }
    return {};
  }

  Expected<void> Read(std::size_t place, const Sink& sink) override {
    const MboxMessage& message = messages_[place];
    MboxUnquoter unquoter;
    std::string piece, plain;
    for (std::uint64_t at = 0; at < message.length; at += piece.size()) {
      piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(Limits::kPiece, message.length - at)));
      const auto got = ReadAt(file_.get(), piece.data(), piece.size(), message.offset + at, path_);
      if (!got) return std::unexpected(got.error());
      if (*got < piece.size()) return Fail("has become shorter while it was read", path_);
      if (!mbox_) {
        if (const auto taken = sink(piece); !taken) return taken;
        continue;
      }
      plain.clear();
      unquoter.Append(plain, piece);
      if (const auto taken = sink(plain); !taken) return taken;
    }
    plain.clear();
    unquoter.Finish(plain);
    return plain.empty() || !mbox_ ? Expected<void>() : sink(plain);
  }

  Expected<void> Mark(std::size_t, Flag) override { return {}; }
  Expected<void> Remove(std::span<const std::size_t>) override {
    return Fail("nothing is removed from an mbox here", path_, "keep the mail in a Maildir");
  }

 private:
  const std::string path_;
  Descriptor file_;
  std::vector<MboxMessage> messages_;
  bool mbox_ = false;
  bool torn_ = false;
  Timestamp changed_ = kNoTime;
  Beginning beginning_;
};

}  // namespace

Expected<std::unique_ptr<MailSource>> OpenMailFolder(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return SystemError("cannot be opened", path);
  if (S_ISDIR(status.st_mode)) {
    struct stat within {};
    const bool maildir = ::stat((path + "/cur").c_str(), &within) == 0 && ::stat((path + "/new").c_str(), &within) == 0;
    auto folder = std::make_unique<FilesFolder>(path, maildir);
    if (const auto scanned = folder->Scan(); !scanned) return std::unexpected(scanned.error());
    return folder;
  }
  if (!S_ISREG(status.st_mode)) return Fail("is neither a folder nor a file of mail", path);
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file || ::fstat(file.get(), &status) != 0) return SystemError("cannot be opened", path);
  auto folder = std::make_unique<MboxFolder>(path, std::move(file));
  if (const auto scanned = folder->Scan(status); !scanned) return std::unexpected(scanned.error());
  return folder;
}

}  // namespace glasspost::agent
