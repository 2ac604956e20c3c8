#include "agent/fetched_ids.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "agent/mail_places.h"
#include "base/ascii.h"
#include "base/disk.h"

namespace glasspost::agent {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr std::uint64_t kLatest = std::uint64_t{1} << 40;  // seconds since 1970: what is beyond was not written here
constexpr off_t kLargest = off_t{1} << 30;                 // stops a file that is none of ours from filling the memory

constexpr Octets kComingHead = "glasspost coming ";

std::string LineOf(Octets id, std::int64_t seconds) { return fmt::format("{} {}\n", id, seconds); }

// What names this boot of the machine; empty if nothing does.
std::string BootId() {
  const int fd = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  std::string text(64, '\0');
  const ssize_t got = ::read(fd, text.data(), text.size());
  ::close(fd);
  text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  if (text.ends_with('\n')) text.pop_back();
  const bool proper = text.size() == 36 && std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  return proper ? text : std::string();
}

// All of it up to `size`; it may have become shorter.
Expected<std::string> ReadText(int fd, off_t size, const std::string& path) {
  std::string text(static_cast<std::size_t>(size), '\0');
  std::size_t got = 0;
  while (got < text.size()) {
    const ssize_t n = ::pread(fd, text.data() + got, text.size() - got, static_cast<off_t>(got));
    if (n < 0) return SystemError("cannot be read", path);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  text.resize(got);
  return text;
}

// The next whole line, without its end.
std::optional<Octets> TakeLine(Octets& rest) {
  const std::size_t end = rest.find('\n');
  if (end == Octets::npos) return {};
  const Octets line = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return line;
}

struct Fetched {
  std::string id;
  std::int64_t seconds = 0;
};

std::optional<Fetched> ParseLine(Octets line) {
  const std::size_t blank = line.find(' ');
  const auto seconds = blank == Octets::npos ? std::nullopt : ParseNumber(line.substr(blank + 1));
  if (!seconds || *seconds > kLatest || !FetchedIds::IsId(line.substr(0, blank))) return {};
  return Fetched{std::string(line.substr(0, blank)), static_cast<std::int64_t>(*seconds)};
}

struct Coming {
  std::vector<Fetched> messages;
  std::vector<std::string> places;
};

// Of this boot, up to the first line that is none.
Coming ParseComing(Octets text, Octets boot) {
  Coming coming;
  const auto head = TakeLine(text);
  if (!head || *head != fmt::format("{}{}", kComingHead, boot)) return coming;
  while (const auto line = TakeLine(text)) {
    const std::size_t blank = line->find(' ', line->find(' ') + 1);
    const auto message = blank == Octets::npos ? std::nullopt : ParseLine(line->substr(0, blank));
    if (!message) break;
    coming.messages.push_back(*message);
    coming.places.emplace_back(line->substr(blank + 1));
  }
  return coming;
}

}  // namespace

bool FetchedIds::IsId(Octets id) {
  return !id.empty() && id.size() <= kIdOctets && std::ranges::all_of(id, [](char c) { return c > ' ' && c < 0x7f; });
}

FetchedIds::FetchedIds(FetchedIds&& from) noexcept
    : path_(std::move(from.path_)),
      fd_(std::exchange(from.fd_, -1)),
      ids_(std::move(from.ids_)),
      whole_(from.whole_),
      added_(std::move(from.added_)),
      boot_(std::move(from.boot_)),
      coming_fd_(std::exchange(from.coming_fd_, -1)),
      coming_(from.coming_) {}

FetchedIds::~FetchedIds() {
  if (coming_fd_ >= 0 && !coming_) ::unlink((path_ + kComing).c_str());
  if (coming_fd_ >= 0) ::close(coming_fd_);
  if (fd_ >= 0) ::close(fd_);
}

Expected<FetchedIds> FetchedIds::Open(const std::string& path, bool* busy) {
  if (busy != nullptr) *busy = false;
  const std::string folder = std::filesystem::absolute(path).parent_path();
  if (const auto made = MakeFolder(folder); !made) return std::unexpected(made.error());
  while (true) {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, kFileMode);
    if (fd < 0) return SystemError("cannot be opened", path);
    FetchedIds ids(path, fd);
    const bool locked = ::flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (busy != nullptr) *busy = !locked;
    if (!locked) return Fail("another fetch of this account is under way", path, "try again when it is done");
    // It may have been replaced between opening and locking.
    struct stat ours {
    }, named{};
    if (::fstat(fd, &ours) != 0) return SystemError("cannot be read", path);
    if (::stat(path.c_str(), &named) != 0 || named.st_ino != ours.st_ino) continue;
    if (const auto synced = SyncFolder(folder); !synced) return std::unexpected(synced.error());
    if (const auto loaded = ids.Load(); !loaded) return std::unexpected(loaded.error());
    if (const auto recovered = S_ISREG(ours.st_mode) ? ids.Recover() : Expected<void>(); !recovered)
      return std::unexpected(recovered.error());
    return ids;
  }
}

Expected<void> FetchedIds::Load() {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) return SystemError("cannot be read", path_);
  if (status.st_size > kLargest) return Fail("is too large to be what it should be", path_, "move it away");
  const auto text = ReadText(fd_, status.st_size, path_);
  if (!text) return std::unexpected(text.error());
  Octets rest = *text;
  while (const auto line = TakeLine(rest)) {
    if (line->empty()) continue;
    auto fetched = ParseLine(*line);
    if (!fetched) return Fail("is no list of fetched messages", path_, "name another file; this one is left as it is");
    ids_[std::move(fetched->id)] = fetched->seconds;
  }
  return CutOff(static_cast<off_t>(text->size() - rest.size()));
}

// What a killed process left. Nothing is taken away before it is remembered.
Expected<void> FetchedIds::Recover() {
  boot_ = BootId();
  if (boot_.empty() || !OpenComing(0)) return {};
  struct stat status {};
  if (::fstat(coming_fd_, &status) != 0 || status.st_size > static_cast<off_t>(kComingOctets)) {
    ForgetComing();
    return {};
  }
  const auto text = ReadText(coming_fd_, status.st_size, path_ + kComing);
  if (!text) return std::unexpected(text.error());
  coming_ = !text->empty();
  const Coming coming = ParseComing(*text, boot_);
  const auto kept = PlacesKept(coming.places);
  if (!kept) return std::unexpected(kept.error());
  for (std::size_t i = 0; i < *kept; ++i) Add(coming.messages[i].id, coming.messages[i].seconds);
  if (const auto synced = Sync(); !synced) return synced;
  static_cast<void>(Withdraw());
  return {};
}

// False if there is none, or no file of ours can be there.
bool FetchedIds::OpenComing(int flags) {
  coming_fd_ = ::open((path_ + kComing).c_str(), O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | flags, kFileMode);
  if (coming_fd_ < 0) {
    if (errno != ENOENT) boot_.clear();
    return false;
  }
  struct stat status {};
  if (::fstat(coming_fd_, &status) == 0 && S_ISREG(status.st_mode)) return true;
  ForgetComing();
  return false;
}

// It stays as it is, and nothing is announced any more.
void FetchedIds::ForgetComing() {
  if (coming_fd_ >= 0) ::close(std::exchange(coming_fd_, -1));
  boot_.clear();
}

Expected<void> FetchedIds::Announce(Octets id, std::int64_t seconds, Octets place) {
  if (boot_.empty() || !IsId(id) || place.size() > kPlaceOctets) return {};
  if (coming_fd_ < 0 && !OpenComing(O_CREAT)) return {};
  std::string lines = coming_ ? std::string() : fmt::format("{}{}\n", kComingHead, boot_);
  lines += fmt::format("{} {} {}\n", id, seconds, place);
  coming_ = true;
  return WriteAll(coming_fd_, lines, path_ + kComing);
}

bool FetchedIds::Withdraw() {
  if (!coming_) return true;
  if (coming_fd_ < 0 || ::ftruncate(coming_fd_, 0) != 0) {
    ForgetComing();  // a line behind those that stay would speak for them
    return false;
  }
  coming_ = false;
  return true;
}

// A line that was not written whole is none: its number may have been longer.
Expected<void> FetchedIds::CutOff(off_t whole) {
  whole_ = whole;
  struct stat status {};
  if (::fstat(fd_, &status) == 0 && status.st_size == whole) return {};
  if (::ftruncate(fd_, whole) != 0) return SystemError("cannot be cut", path_);
  return {};
}

std::optional<std::int64_t> FetchedIds::When(Octets id) const {
  const auto at = ids_.find(std::string(id));
  return at == ids_.end() ? std::nullopt : std::optional(at->second);
}

void FetchedIds::Add(Octets id, std::int64_t seconds) {
  if (IsId(id)) added_.emplace_back(id, seconds);
}

Expected<void> FetchedIds::Sync() {
  if (added_.empty()) return {};
  const auto added = std::exchange(added_, {});
  std::string lines;
  for (const auto& [id, seconds] : added) lines += LineOf(id, seconds);
  auto step = WriteAll(fd_, lines, path_);
  if (step) step = SyncFile(fd_, path_);
  if (!step) {
    static_cast<void>(CutOff(whole_));
    return step;
  }
  whole_ += static_cast<off_t>(lines.size());
  for (const auto& [id, seconds] : added) ids_[id] = seconds;
  static_cast<void>(Withdraw());  // if they stay, they say what is true
  return {};
}

Expected<void> FetchedIds::Retain(const std::function<bool(Octets id)>& wanted, std::int64_t seconds) {
  const std::size_t before = ids_.size();
  std::erase_if(ids_, [&](const auto& known) { return seconds - known.second > kUnseen && !wanted(known.first); });
  if (ids_.size() == before) return {};
  std::string text;
  for (const auto& [id, when] : ids_) text += LineOf(id, when);
  const auto fresh = WriteBeside(path_, text);
  if (!fresh) return std::unexpected(fresh.error());
  // Locked before it has the name: nobody comes between.
  if (::flock(*fresh, LOCK_EX | LOCK_NB) != 0) {
    const auto error = SystemError("cannot be locked", path_);
    ::close(*fresh);
    return error;
  }
  if (auto placed = PutInPlace(path_); !placed) {
    ::close(*fresh);
    return placed;
  }
  ::close(std::exchange(fd_, *fresh));
  whole_ = static_cast<off_t>(text.size());
  return {};
}

}  // namespace glasspost::agent
