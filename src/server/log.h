// The server's log: one line an event, for people (key=value) or for programs (JSON), with the ids of its session and message.
//
//   log.Event(LogLevel::kInfo, "accepted").With("session", id).With("queue", queue_id).With("octets", size);
//
// What a peer sent is escaped, so that one event is one line and no more than one. A secret has no business here: Masked() says
// how long it was. A line is handed to a thread that writes; who logs never waits for the disk or the pipe. Beyond
// LogLimits::kWaitingOctets lines are dropped, and a line says how many.
#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "base/clock.h"
#include "base/octets.h"

namespace glasspost::server {

enum class LogLevel : std::uint8_t { kError, kWarning, kInfo, kDebug };
enum class LogFormat : std::uint8_t { kText, kJson };

struct LogLimits {
  // Stops a reader of stderr that has stopped reading from filling the memory. As much again is on its way to it.
  static constexpr std::size_t kWaitingOctets = std::size_t{4} << 20;
  // Stops a value of a peer (a name as long as a line may be) from filling the log.
  static constexpr std::size_t kValueOctets = 1024;
  // Lines wait so long for others to be written with, so that a busy server does not wake a thread for each; not so what goes
  // wrong (kError).
  static constexpr std::chrono::milliseconds kGather{10};
};

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  int descriptor = 2;  // not closed
  // The reader is systemd's journal: "<6>" instead of time and level in text lines (sd-daemon(3)).
  bool journal = false;
};
// Is stderr connected to the journal ($JOURNAL_STREAM, systemd.exec(5))?
bool StderrIsJournal();

class Log;

// One event being written; it goes out when it is destroyed. Nothing happens where its level is not logged.
class LogLine {
 public:
  LogLine(LogLine&& other) noexcept
      : log_(std::exchange(other.log_, nullptr)), level_(other.level_), line_(std::move(other.line_)) {}
  LogLine& operator=(LogLine&&) = delete;
  ~LogLine() { Send(); }

  // `key`: letters, digits, '_'. Of longer values the end is left out.
  LogLine&& With(std::string_view key, Octets value) &&;
  LogLine&& With(std::string_view key, const char* value) && { return std::move(*this).With(key, Octets(value)); }
  LogLine&& With(std::string_view key, bool value) && { return std::move(*this).Plain(key, value ? "true" : "false"); }
  template <std::integral Number>
  LogLine&& With(std::string_view key, Number value) && {
    if (log_ == nullptr) return std::move(*this);
    return std::move(*this).Plain(key, std::to_string(value));
  }
  // "*** (8 octets)"
  LogLine&& Masked(std::string_view key, Octets secret) &&;

 private:
  friend class Log;
  LogLine(Log* log, LogLevel level, std::string line) : log_(log), level_(level), line_(std::move(line)) {}
  LogLine&& Plain(std::string_view key, std::string_view value) &&;
  void Key(std::string_view key);
  void Send();

  Log* log_;  // null: not logged
  LogLevel level_;
  std::string line_;
};

class Log {
 public:
  // `clock` outlives it.
  Log(const LogOptions& options, const Clock& clock);
  // Writes what waits.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Any thread. `event`: a word or a few, no peer's.
  LogLine Event(LogLevel level, std::string_view event);
  bool Logs(LogLevel level) const { return level <= level_.load(std::memory_order_relaxed); }
  // At a reload.
  void SetLevel(LogLevel level) { level_.store(level, std::memory_order_relaxed); }
  // Returns when all that was logged before is written.
  void Flush();
  std::uint64_t dropped() const;

 private:
  friend class LogLine;
  void Push(LogLevel level, std::string line);
  void Run();
  std::string Begin(LogLevel level, std::string_view event) const;

  const LogOptions options_;
  const Clock& clock_;
  std::atomic<LogLevel> level_;
  mutable std::mutex mutex_;
  std::condition_variable there_;
  std::condition_variable written_;
  std::string waiting_;
  bool writing_ = false;
  bool at_once_ = false;  // what waits does not wait for more
  bool ended_ = false;
  std::uint64_t dropped_ = 0;
  std::uint64_t told_dropped_ = 0;
  std::thread writer_;
};

}  // namespace glasspost::server
