#include "analysis/live/recorder_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/ascii.h"
#include "base/time_text.h"
#include "capture/pcapng_writer.h"

namespace glasspost::analysis {
namespace {

constexpr mode_t kDirectoryMode = 0700, kFileMode = 0600;    // they hold secrets
constexpr std::size_t kLargeBlocks = std::size_t{64} << 10;  // written at once
constexpr std::string_view kSuffix = ".pcapng";
constexpr std::size_t kTimeOctets = 23;   // "20261123T010203.123456Z"
constexpr std::size_t kNumberDigits = 6;  // at least

// "20261123T010203.123456Z-000017.pcapng": sorted by name they are sorted by time.
std::string NameOf(std::uint64_t number, Timestamp time) {
  std::string text;
  AppendRfc3339(text, time);
  std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
  text.resize(kTimeOctets - 1);
  return fmt::format("{}Z-{:0{}}{}", text, number, kNumberDigits, kSuffix);
}

// Only such files are ever removed.
bool IsOurs(std::string_view name) {
  constexpr std::string_view kForm = "00000000T000000.000000Z-";
  if (name.size() < kForm.size() + kNumberDigits + kSuffix.size() || !name.ends_with(kSuffix)) return false;
  for (std::size_t i = 0; i < name.size() - kSuffix.size(); ++i) {
    const char form = i < kForm.size() ? kForm[i] : '0';
    if (form == '0' ? !IsDigit(name[i]) : name[i] != form) return false;
  }
  return true;
}

bool WriteAll(int fd, std::string_view octets) {
  while (!octets.empty()) {
    const ssize_t n = write(fd, octets.data(), octets.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

}  // namespace

RecordedSession::RecordedSession(std::uint64_t number, const Endpoint& client, const Endpoint& server, std::string path,
                                 std::uint64_t place)
    : number_(number), tcp_(client, server), path_(std::move(path)), place_(place) {}

void RecordedSession::Hold(Direction direction, std::string octets, std::uint64_t skipped, Timestamp time) {
  held_octets_ += octets.size();
  held_.push_back({direction, std::move(octets), skipped, time});
}

void RecordedSession::OnFrame(Octets frame, Timestamp time) {
  capture::PcapngWriter(pending_).Packet(0, time, frame, comment_);
  comment_.clear();
}

void RecordedSession::Send(Direction direction, Octets octets, Timestamp time) {
  pending_data_ += octets.size();
  tcp_.Send(direction, octets, time, *this);
}

// The secrets, then what waited for them.
void RecordedSession::Release() {
  holding_ = false;
  if (!secrets_.empty()) capture::PcapngWriter(pending_).TlsSecrets(secrets_);
  secrets_.clear();
  for (const Held& h : std::exchange(held_, {})) {
    if (h.skipped > 0) tcp_.Skip(h.direction, h.skipped);
    if (!h.octets.empty()) Send(h.direction, h.octets, h.time);
  }
  held_octets_ = 0;
}

Expected<void> RecordedSessions::Open() {
  const auto unusable = [this](int error) {
    return Fail(fmt::format("sessions cannot be recorded: {}", std::strerror(error)), options_.directory,
                "choose another folder");
  };
  if (mkdir(options_.directory.c_str(), kDirectoryMode) != 0 && errno != EEXIST) return unusable(errno);
  struct stat status {};
  if (stat(options_.directory.c_str(), &status) != 0) return unusable(errno);
  if (!S_ISDIR(status.st_mode)) return unusable(ENOTDIR);
  if (access(options_.directory.c_str(), W_OK | X_OK) != 0) return unusable(errno);
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(options_.directory, error)) {
    if (!IsOurs(entry.path().filename().string()) || !entry.is_regular_file(error)) continue;
    files_.push_back({entry.path().string(), entry.file_size(error), false});
    if (error) files_.pop_back();
  }
  if (error) return unusable(error.value());
  std::sort(files_.begin(), files_.end(), [](const File& a, const File& b) { return a.path < b.path; });
  for (const File& f : files_) octets_ += f.octets;
  count_ = files_.size();
  return {};
}

// False: what is there is all being written.
bool RecordedSessions::MakeRoom(std::uint64_t octets, std::size_t files) {
  const auto full = [&] { return octets_ + octets > options_.octets || count_ + files > options_.files; };
  while (full()) {
    const auto oldest = std::find_if(files_.begin(), files_.end(), [](const File& f) { return !f.open && !f.path.empty(); });
    if (oldest == files_.end()) return false;
    unlink(oldest->path.c_str());
    octets_ -= oldest->octets;
    *oldest = {};
    --count_;
    removed_.fetch_add(1, std::memory_order_relaxed);
    while (!files_.empty() && files_.front().path.empty()) files_.pop_front(), ++first_place_;
  }
  return true;
}

void RecordedSessions::Begin(std::uint64_t number, const Endpoint& client, const Endpoint& server, Timestamp time) {
  if (!MakeRoom(0, 1)) {
    failures_.fetch_add(1, std::memory_order_relaxed);
    losses_.Add(number, RecordingLoss::kDirectory, 0);
    return losses_.End(number);
  }
  std::string path = options_.directory + "/" + NameOf(number, time);
  files_.push_back({path, 0, true});
  ++count_;
  auto s = std::make_unique<RecordedSession>(number, client, server, std::move(path), first_place_ + files_.size() - 1);
  capture::PcapngWriter writer(s->pending_);
  writer.Section(options_.application);
  writer.Interface(capture::LinkType::kEthernet);
  s->tcp_.Open(time, *s);
  sessions_[number] = std::move(s);
  begun_.fetch_add(1, std::memory_order_relaxed);
}

RecordedSession* RecordedSessions::Find(std::uint64_t number) {
  const auto at = sessions_.find(number);
  return at == sessions_.end() ? nullptr : at->second.get();
}

void RecordedSessions::Drop(RecordedSession& s, Direction direction, std::uint64_t octets, RecordingLoss why) {
  dropped_.fetch_add(octets, std::memory_order_relaxed);
  losses_.Add(s.number_, why, octets);
  s.comment_ = fmt::format("before this packet octets were not recorded: {}",
                           why == RecordingLoss::kSession ? "the session's limit" : "the directory's limit");
  s.Skip(direction, octets);
}

void RecordedSessions::Send(RecordedSession& s, Direction direction, std::string octets, Timestamp time) {
  if (s.data_ + octets.size() > options_.session_octets) return Drop(s, direction, octets.size(), RecordingLoss::kSession);
  if (!MakeRoom(octets.size() + s.pending_.size(), 0)) return Drop(s, direction, octets.size(), RecordingLoss::kDirectory);
  s.data_ += octets.size();
  if (s.holding_ && s.held_octets_ + octets.size() > options_.held_octets) s.Release();
  if (s.holding_) return s.Hold(direction, std::move(octets), 0, time);
  if (!s.secrets_.empty()) s.Release();
  s.Send(direction, octets, time);
  if (!std::exchange(s.dirty_, true)) dirty_.push_back(&s);
  if (s.pending_.size() >= kLargeBlocks) Write(s);
}

void RecordedSessions::Release(RecordedSession& s) {
  s.Release();
  if (!std::exchange(s.dirty_, true)) dirty_.push_back(&s);
}

void RecordedSessions::End(std::uint64_t number, RecordedSession& s, Closing how, Direction who, Timestamp time) {
  s.Release();
  if (how == Closing::kReset) {
    s.tcp_.Reset(who, time, s);
  } else {
    const bool answered = how != Closing::kTimedOut;
    s.tcp_.Finish(who, answered, time, s);
    if (answered) s.tcp_.Finish(Opposite(who), true, time, s);
  }
  Write(s);
  FileOf(s).open = false;
  std::erase(dirty_, &s);
  sessions_.erase(number);
  losses_.End(number);
}

void RecordedSessions::Write(RecordedSession& s) {
  const std::string blocks = std::exchange(s.pending_, {});
  const std::uint64_t data = std::exchange(s.pending_data_, 0);
  if (blocks.empty()) return;
  const bool failed_before = s.failed_;
  const int error = failed_before ? 0 : WriteBlocks(s, blocks);
  if (s.failed_) {
    if (!failed_before) failures_.fetch_add(1, std::memory_order_relaxed);
    dropped_.fetch_add(data, std::memory_order_relaxed);
    return losses_.Add(s.number_, RecordingLoss::kFile, data, error);
  }
  s.written_ += blocks.size();
  FileOf(s).octets += blocks.size();
  octets_ += blocks.size();
}

// errno where they could not be written; then nothing more is.
int RecordedSessions::WriteBlocks(RecordedSession& s, const std::string& blocks) {
  const int made = s.made_ ? 0 : O_CREAT | O_EXCL;
  const int fd = open(s.path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | made, kFileMode);
  const bool written = fd >= 0 && WriteAll(fd, blocks);
  const int error = written ? 0 : errno;
  // A block that is torn would make the file unreadable.
  s.failed_ = !written;
  if (fd >= 0 && !written && ftruncate(fd, static_cast<off_t>(s.written_)) != 0) unlink(s.path_.c_str());
  if (fd >= 0) close(fd), s.made_ = true;
  return error;
}

void RecordedSessions::Flush(std::chrono::nanoseconds patience) {
  const auto now = std::chrono::steady_clock::now();
  if (now - flushed_ < patience) return;
  flushed_ = now;
  for (RecordedSession* s : std::exchange(dirty_, {})) {
    s->dirty_ = false;
    Write(*s);
  }
}

void RecordedSessions::EndAll() {
  for (auto& [number, s] : sessions_) {
    s->Release();
    Write(*s);
    FileOf(*s).open = false;
    losses_.End(number);
  }
  sessions_.clear();
  dirty_.clear();
}

RecorderFigures RecordedSessions::figures() const {
  RecorderFigures f;
  f.sessions = begun_.load(std::memory_order_relaxed);
  f.files_removed = removed_.load(std::memory_order_relaxed);
  f.failures = failures_.load(std::memory_order_relaxed);
  return f;
}

}  // namespace glasspost::analysis
