#include "agent/fetched_ids.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/ascii.h"
#include "base/disk.h"

namespace glasspost::agent {
namespace {

constexpr mode_t kFileMode = 0600;
constexpr std::uint64_t kLatest = std::uint64_t{1} << 40;  // seconds since 1970: what is beyond was not written here
constexpr off_t kLargest = off_t{1} << 30;                 // stops a file that is none of ours from filling the memory

std::string LineOf(Octets id, std::int64_t seconds) { return fmt::format("{} {}\n", id, seconds); }

}  // namespace

bool FetchedIds::IsId(Octets id) {
  return !id.empty() && id.size() <= kIdOctets && std::ranges::all_of(id, [](char c) { return c > ' ' && c < 0x7f; });
}

FetchedIds::FetchedIds(FetchedIds&& from) noexcept
    : path_(std::move(from.path_)),
      fd_(std::exchange(from.fd_, -1)),
      ids_(std::move(from.ids_)),
      whole_(from.whole_),
      added_(std::move(from.added_)) {}

FetchedIds::~FetchedIds() {
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
    return ids;
  }
}

Expected<void> FetchedIds::Load() {
  struct stat status {};
  if (::fstat(fd_, &status) != 0) return SystemError("cannot be read", path_);
  if (status.st_size > kLargest) return Fail("is too large to be what it should be", path_, "move it away");
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t got = 0;
  while (got < text.size()) {
    const ssize_t n = ::pread(fd_, text.data() + got, text.size() - got, static_cast<off_t>(got));
    if (n < 0) return SystemError("cannot be read", path_);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  text.resize(got);
  Octets rest = text;
  while (true) {
    const std::size_t end = rest.find('\n');
    if (end == Octets::npos) break;
    const Octets line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    if (line.empty()) continue;
    const std::size_t blank = line.find(' ');
    const auto seconds = blank == Octets::npos ? std::nullopt : ParseNumber(line.substr(blank + 1));
    if (!seconds || *seconds > kLatest || !IsId(line.substr(0, blank)))
      return Fail("is no list of fetched messages", path_, "name another file; this one is left as it is");
    ids_[std::string(line.substr(0, blank))] = static_cast<std::int64_t>(*seconds);
  }
  return CutOff(static_cast<off_t>(text.size() - rest.size()));
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
