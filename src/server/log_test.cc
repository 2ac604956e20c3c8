#include "server/log.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

#include "support/temporary_folder.h"

namespace glasspost::server {
namespace {

class FixedClock final : public Clock {
 public:
  Timestamp Now() const override { return 1'700'000'000'123'456'789; }
  std::int64_t Steady() const override { return 0; }
};

struct LogFile {
  TemporaryFolder folder;
  FixedClock clock;
  int descriptor = ::open((folder / "log").c_str(), O_CREAT | O_WRONLY | O_APPEND, 0600);
  ~LogFile() { ::close(descriptor); }
  std::string Text() const {
    std::ostringstream text;
    text << std::ifstream(folder / "log").rdbuf();
    return text.str();
  }
  LogOptions Options(LogFormat format = LogFormat::kText) const {
    return {.level = LogLevel::kInfo, .format = format, .descriptor = descriptor, .journal = false};
  }
};

void LogOne(Log& log) {
  log.Event(LogLevel::kInfo, "accepted")
      .With("session", std::uint64_t{12})
      .With("queue", "4Xyz")
      .With("from", Octets("a b\"c\\=\r\n\x1b[31m\0"
                           "ü\xff",
                           18))
      .With("empty", "")
      .With("tls", true)
      .With("delta", -3)
      .Masked("password", "secret12");
}

TEST(Log, Text) {
  LogFile file;
  {
    Log log(file.Options(), file.clock);
    LogOne(log);
  }
  EXPECT_EQ(
      file.Text(),
      "2023-11-14T22:13:20.123456789Z info accepted session=12 queue=4Xyz from=\"a b\\\"c\\\\=\\x0d\\x0a\\x1b[31m\\x00ü\\xff\" "
      "empty=\"\" tls=true delta=-3 password=\"*** (8 octets)\"\n");
}

TEST(Log, Json) {
  LogFile file;
  {
    Log log(file.Options(LogFormat::kJson), file.clock);
    LogOne(log);
  }
  EXPECT_EQ(
      file.Text(),
      "{\"time\":\"2023-11-14T22:13:20.123456789Z\",\"level\":\"info\",\"event\":\"accepted\",\"session\":12,\"queue\":\"4Xyz\","
      "\"from\":\"a b\\\"c\\\\=\\r\\n\\u001b[31m\\u0000ü\xef\xbf\xbd\",\"empty\":\"\",\"tls\":true,\"delta\":-3,"
      "\"password\":\"*** (8 octets)\"}\n");
}

TEST(Log, Journal) {
  LogFile file;
  LogOptions options = file.Options();
  options.journal = true;
  options.level = LogLevel::kDebug;
  {
    Log log(options, file.clock);
    log.Event(LogLevel::kError, "broken");
    log.Event(LogLevel::kWarning, "odd").With("why", "two words");
    log.Event(LogLevel::kInfo, "done");
    log.Event(LogLevel::kDebug, "seen");
  }
  EXPECT_EQ(file.Text(), "<3>broken\n<4>odd why=\"two words\"\n<6>done\n<7>seen\n");
}

TEST(Log, Levels) {
  LogFile file;
  Log log(file.Options(), file.clock);
  log.Event(LogLevel::kDebug, "no").With("a", 1);
  EXPECT_FALSE(log.Logs(LogLevel::kDebug));
  log.SetLevel(LogLevel::kDebug);
  log.Event(LogLevel::kDebug, "yes");
  log.SetLevel(LogLevel::kError);
  log.Event(LogLevel::kWarning, "no");
  log.Flush();
  EXPECT_EQ(file.Text(), "2023-11-14T22:13:20.123456789Z debug yes\n");
}

// A datagram is a write. Each but the first and the flushed one has waited for others.
TEST(Log, LinesAreWrittenTogether) {
  constexpr int kLines = 1000;
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
  const FixedClock clock;
  const auto begin = std::chrono::steady_clock::now();
  std::size_t writes = 0, lines = 0;
  std::thread reader([&] {
    std::vector<char> octets(std::size_t{1} << 20);
    for (ssize_t n = 0; (n = ::recv(ends[0], octets.data(), octets.size(), 0)) > 0; ++writes)
      lines += static_cast<std::size_t>(std::count(octets.begin(), octets.begin() + n, '\n'));
  });
  {
    Log log({.level = LogLevel::kInfo, .format = LogFormat::kText, .descriptor = ends[1], .journal = false}, clock);
    for (int i = 0; i < kLines; ++i) log.Event(LogLevel::kInfo, "line");
    log.Flush();
  }
  const auto spent = std::chrono::steady_clock::now() - begin;
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  EXPECT_EQ(lines, std::size_t{kLines});
  EXPECT_LE(writes, static_cast<std::size_t>(spent / LogLimits::kGather) + 2);
}

// It is there though nobody flushes, and the one before it too.
TEST(Log, WhatGoesWrongIsWrittenAtOnce) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
  const FixedClock clock;
  Log log({.level = LogLevel::kInfo, .format = LogFormat::kText, .descriptor = ends[1], .journal = true}, clock);
  log.Event(LogLevel::kInfo, "first");
  log.Event(LogLevel::kError, "broken");
  std::string text;
  while (!text.ends_with("<3>broken\n")) {
    char octets[256];
    const ssize_t n = ::recv(ends[0], octets, sizeof octets, 0);
    ASSERT_GT(n, 0);
    text.append(octets, static_cast<std::size_t>(n));
  }
  EXPECT_EQ(text, "<6>first\n<3>broken\n");
  ::close(ends[0]);
  log.Flush();
  ::close(ends[1]);
}

TEST(Log, LongValuesAreCut) {
  LogFile file;
  {
    Log log(file.Options(), file.clock);
    log.Event(LogLevel::kInfo, "x").With("whole", std::string(LogLimits::kValueOctets, 'a'));
    log.Event(LogLevel::kInfo, "x").With("cut", std::string(LogLimits::kValueOctets + 1, 'a'));
    log.Event(LogLevel::kInfo, "x").With("torn", std::string(LogLimits::kValueOctets - 1, 'a') + "üü");
  }
  EXPECT_EQ(file.Text(), "2023-11-14T22:13:20.123456789Z info x whole=" + std::string(LogLimits::kValueOctets, 'a') +
                             "\n2023-11-14T22:13:20.123456789Z info x cut=\"" + std::string(LogLimits::kValueOctets, 'a') +
                             "…\"\n2023-11-14T22:13:20.123456789Z info x torn=\"" +
                             std::string(LogLimits::kValueOctets - 1, 'a') + "…\"\n");
}

TEST(Log, LinesOfManyThreadsStayWhole) {
  constexpr int kThreads = 4, kLines = 2000;
  LogFile file;
  {
    Log log(file.Options(), file.clock);
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t)
      threads.emplace_back([&log, t] {
        for (int i = 0; i < kLines; ++i) log.Event(LogLevel::kInfo, "e").With("thread", t).With("line", i);
      });
    for (std::thread& t : threads) t.join();
    EXPECT_EQ(log.dropped(), 0u);
  }
  std::istringstream lines(file.Text());
  std::vector<int> next(kThreads);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    int thread = 0, number = 0;
    ASSERT_EQ(std::sscanf(line.c_str(), "2023-11-14T22:13:20.123456789Z info e thread=%d line=%d", &thread, &number), 2) << line;
    EXPECT_EQ(number, next[static_cast<std::size_t>(thread)]++);
  }
  EXPECT_EQ(count, kThreads * kLines);
}

// A pipe that nobody reads: who logs goes on, what does not fit is counted.
TEST(Log, AReaderThatStopsHoldsNobodyUp) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  FixedClock clock;
  std::string read;
  std::uint64_t dropped = 0;
  std::thread reader;
  {
    Log log({.level = LogLevel::kInfo, .format = LogFormat::kText, .descriptor = ends[1], .journal = false}, clock);
    const std::string value(900, 'v');
    // One such heap is being written, another waits.
    const std::size_t lines = 4 * LogLimits::kWaitingOctets / value.size();
    for (std::size_t i = 0; i < lines; ++i) log.Event(LogLevel::kInfo, "e").With("v", value);
    dropped = log.dropped();
    EXPECT_GT(dropped, lines / 3);
    EXPECT_LT(dropped, lines);
    reader = std::thread([&read, end = ends[0]] {
      std::vector<char> buffer(65536);
      while (true) {
        const ssize_t n = ::read(end, buffer.data(), buffer.size());
        if (n <= 0) return;
        read.append(buffer.data(), static_cast<std::size_t>(n));
      }
    });
  }
  ::close(ends[1]);
  reader.join();
  ::close(ends[0]);
  const std::string_view told = "warning log lines dropped count=";
  std::uint64_t count = 0;
  for (std::size_t at = read.find(told); at != std::string::npos; at = read.find(told, at + 1))
    count += std::stoull(read.substr(at + told.size(), 20));
  EXPECT_EQ(count, dropped);
}

}  // namespace
}  // namespace glasspost::server
