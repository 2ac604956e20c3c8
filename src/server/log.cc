#include "server/log.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "base/escape.h"
#include "base/redaction.h"
#include "base/time_text.h"

namespace glasspost::server {
namespace {

constexpr std::string_view kNames[] = {"error", "warning", "info", "debug"};  // by LogLevel
constexpr std::string_view kPriorities[] = {"<3>", "<4>", "<6>", "<7>"};      // syslog(3)'s, by LogLevel
constexpr std::size_t kUsualOctets = 256;                                     // of a line
constexpr std::string_view kCut = "…";

// As much as fits, and no torn character.
Octets Cut(Octets value, bool& cut) {
  cut = value.size() > LogLimits::kValueOctets;
  if (!cut) return value;
  std::size_t end = LogLimits::kValueOctets;
  while (end > LogLimits::kValueOctets - 4 && (static_cast<unsigned char>(value[end]) & 0xc0) == 0x80) --end;
  return value.substr(0, end);
}

// Can it stand without quotes?
bool IsWord(Octets value) {
  for (const char c : value)
    if (static_cast<unsigned char>(c) <= ' ' || static_cast<unsigned char>(c) >= 0x7f || c == '"' || c == '=' || c == '\\')
      return false;
  return !value.empty();
}

void AppendQuoted(std::string& out, Octets value) {
  out += '"';
  std::size_t from = 0;
  for (std::size_t i = 0; i <= value.size(); ++i) {
    if (i < value.size() && value[i] != '"' && value[i] != '\\') continue;
    AppendForTerminal(out, value.substr(from, i - from));
    if (i < value.size()) out.append({'\\', value[i]});
    from = i + 1;
  }
  out += '"';
}

// All of it, whatever it takes; what cannot be written is gone, since there is no place to say so.
void WriteAll(int descriptor, Octets octets) {
  while (!octets.empty()) {
    const ssize_t n = ::write(descriptor, octets.data(), octets.size());
    if (n > 0) {
      octets.remove_prefix(static_cast<std::size_t>(n));
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      pollfd wait{.fd = descriptor, .events = POLLOUT, .revents = 0};
      ::poll(&wait, 1, -1);
    } else if (n == 0 || errno != EINTR) {
      return;
    }
  }
}

}  // namespace

bool StderrIsJournal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat is {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &is) != 0) return false;
  return std::string(stream) == std::to_string(is.st_dev) + ":" + std::to_string(is.st_ino);
}

void LogLine::Key(std::string_view key) {
  const bool json = log_->options_.format == LogFormat::kJson;
  line_.append(json ? ",\"" : " ").append(key).append(json ? "\":" : "=");
}

LogLine&& LogLine::Plain(std::string_view key, std::string_view value) && {
  if (log_ != nullptr) {
    Key(key);
    line_.append(value);
  }
  return std::move(*this);
}

LogLine&& LogLine::With(std::string_view key, Octets value) && {
  if (log_ == nullptr) return std::move(*this);
  Key(key);
  bool cut = false;
  const Octets kept = Cut(value, cut);
  if (log_->options_.format == LogFormat::kText && !cut && IsWord(kept)) {
    line_.append(kept);
    return std::move(*this);
  }
  if (log_->options_.format == LogFormat::kText)
    AppendQuoted(line_, kept);
  else
    AppendJsonString(line_, kept);
  if (cut) line_.insert(line_.size() - 1, kCut);
  return std::move(*this);
}

LogLine&& LogLine::Masked(std::string_view key, Octets secret) && {
  if (log_ == nullptr) return std::move(*this);
  return std::move(*this).With(key, Octets(Mask(secret)));
}

void LogLine::Send() {
  if (log_ == nullptr) return;
  line_ += log_->options_.format == LogFormat::kJson ? "}\n" : "\n";
  log_->Push(level_, std::move(line_));
  log_ = nullptr;
}

Log::Log(const LogOptions& options, const Clock& clock) : options_(options), clock_(clock), level_(options.level) {
  writer_ = std::thread([this] { Run(); });
}

Log::~Log() {
  {
    const std::lock_guard lock(mutex_);
    ended_ = true;
  }
  there_.notify_one();
  writer_.join();
}

std::string Log::Begin(LogLevel level, std::string_view event) const {
  const auto at = static_cast<std::size_t>(level);
  std::string line;
  line.reserve(kUsualOctets);
  if (options_.format == LogFormat::kJson) {
    line += "{\"time\":\"";
    AppendRfc3339(line, clock_.Now());
    line.append("\",\"level\":\"").append(kNames[at]).append("\",\"event\":");
    AppendJsonString(line, event);
    return line;
  }
  if (options_.journal) {
    line += kPriorities[at];
  } else {
    AppendRfc3339(line, clock_.Now());
    line.append(" ").append(kNames[at]).append(" ");
  }
  AppendForTerminal(line, event);
  return line;
}

LogLine Log::Event(LogLevel level, std::string_view event) {
  return Logs(level) ? LogLine(this, level, Begin(level, event)) : LogLine(nullptr, level, {});
}

void Log::Push(LogLevel level, std::string line) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() + line.size() > LogLimits::kWaitingOctets) {
      ++dropped_;
      return;
    }
    const bool first = waiting_.empty();
    if (first)
      waiting_ = std::move(line);
    else
      waiting_ += line;
    const bool urgent = level == LogLevel::kError && !std::exchange(at_once_, true);
    if (writing_ || (!first && !urgent)) return;  // it looks again before it sleeps; it is awake already
  }
  there_.notify_one();
}

void Log::Flush() {
  std::unique_lock lock(mutex_);
  at_once_ = true;
  there_.notify_one();
  written_.wait(lock, [this] { return waiting_.empty() && !writing_ && told_dropped_ == dropped_; });
}

std::uint64_t Log::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

void Log::Run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    there_.wait(lock, [this] { return !waiting_.empty() || told_dropped_ != dropped_ || ended_; });
    if (waiting_.empty() && told_dropped_ == dropped_) return;
    there_.wait_for(lock, LogLimits::kGather, [this] { return at_once_ || ended_; });
    at_once_ = false;
    std::string lines = std::exchange(waiting_, {});
    const std::uint64_t lost = dropped_ - std::exchange(told_dropped_, dropped_);
    writing_ = true;
    lock.unlock();
    if (lost > 0) {
      std::string line = Begin(LogLevel::kWarning, "log lines dropped");
      line += options_.format == LogFormat::kJson ? ",\"count\":" + std::to_string(lost) + "}\n"
                                                  : " count=" + std::to_string(lost) + "\n";
      lines += line;
    }
    WriteAll(options_.descriptor, lines);
    lock.lock();
    writing_ = false;
    written_.notify_all();
  }
}

}  // namespace glasspost::server
