#include "base/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>

#include "base/digits.h"

namespace glasspost {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

// Writes `digits` decimal digits of `value`.
void PutDigits(char* at, std::uint64_t value, int digits) {
  for (int i = digits - 1; i >= 0; --i) {
    at[i] = static_cast<char>('0' + value % 10);
    value /= 10;
  }
}

struct Split {
  std::int64_t seconds;
  std::uint64_t ns;
};
Split SplitTime(Timestamp time) {
  std::int64_t seconds = time / kSecond;
  std::int64_t ns = time % kSecond;
  if (ns < 0) ns += kSecond, --seconds;
  return {seconds, static_cast<std::uint64_t>(ns)};
}

// What four digits of a year can hold.
constexpr std::int64_t kFirstSecond = -62'167'219'200, kLastSecond = 253'402'300'799;

// "2026-11-23T08:15:30"; the punctuation is there already.
void PutSecond(char* text, std::int64_t seconds) {
  using namespace std::chrono;
  const sys_seconds at{std::chrono::seconds(seconds)};
  const auto day = floor<days>(at);
  const year_month_day date(day);
  const hh_mm_ss clock(at - day);
  PutDigits(text, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  PutDigits(text + 5, static_cast<unsigned>(date.month()), 2);
  PutDigits(text + 8, static_cast<unsigned>(date.day()), 2);
  PutDigits(text + 11, static_cast<std::uint64_t>(clock.hours().count()), 2);
  PutDigits(text + 14, static_cast<std::uint64_t>(clock.minutes().count()), 2);
  PutDigits(text + 17, static_cast<std::uint64_t>(clock.seconds().count()), 2);
}

}  // namespace

void AppendNumber(std::string& out, std::uint64_t value) {
  char digits[kMostDigits];
  out.append(digits, PutNumber(digits, value));
}

char* PutRfc3339(char* at, Timestamp time) {
  // Neighbouring times mostly share their second: the calendar is asked once a second.
  thread_local std::int64_t cached_second = -1;
  thread_local char text[31] = "1970-01-01T00:00:00.000000000Z";
  const auto [seconds, ns] = SplitTime(time);
  if (seconds != cached_second) {
    PutSecond(text, seconds);
    cached_second = seconds;
  }
  PutNineDigits(text + 20, static_cast<std::uint32_t>(ns));
  std::memcpy(at, text, kRfc3339Octets);
  return at + kRfc3339Octets;
}

void AppendRfc3339(std::string& out, Timestamp time) {
  char text[kRfc3339Octets];
  PutRfc3339(text, time);
  out.append(text, sizeof text);
}

void AppendRfc3339Seconds(std::string& out, std::int64_t seconds) {
  char text[21] = "1970-01-01T00:00:00Z";
  PutSecond(text, std::clamp(seconds, kFirstSecond, kLastSecond));
  out.append(text, 20);
}

void AppendRfc5322(std::string& out, Timestamp time) {
  static constexpr char kDays[] = "ThuFriSatSunMonTueWed";  // 1970 began on a Thursday
  static constexpr char kMonths[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  constexpr std::int64_t kDay = 86'400'000'000'000;
  const std::int64_t day = time / kDay - (time % kDay < 0 ? 1 : 0);
  char text[kRfc3339Octets];
  PutRfc3339(text, time);
  const std::size_t month = static_cast<std::size_t>((text[5] - '0') * 10 + (text[6] - '0') - 1);
  out.append(kDays + (day % 7 + 7) % 7 * 3, 3).append(", ").append(text + 8, 2).append(" ").append(kMonths + month * 3, 3);
  out.append(" ").append(text, 4).append(" ").append(text + 11, 8).append(" +0000");
}

void AppendTimeOfDay(std::string& out, Timestamp time) {
  std::string whole;
  AppendRfc3339(whole, time);
  out.append(whole, 11, 15);
}

void AppendMilliseconds(std::string& out, std::int64_t ns) {
  char text[kMillisecondsOctets];
  out.append(text, PutMilliseconds(text, ns));
}

char* PutMilliseconds(char* at, std::int64_t ns) {
  if (ns < 0) *at++ = '-', ns = -ns;
  at = PutNumber(at, static_cast<std::uint64_t>(ns) / 1'000'000);
  const auto rest = static_cast<std::uint32_t>(static_cast<std::uint64_t>(ns) % 1'000'000);
  if (rest == 0) return at;
  *at++ = '.';
  PutOctets(at, EightDigits(rest * 100) | kAsciiZeros);
  for (at += 6; at[-1] == '0';) --at;
  return at;
}

std::string DurationText(std::int64_t ns) {
  const double ms = static_cast<double>(ns) / 1e6;
  if (ms < 10) return fmt::format("{:.2f} ms", ms);
  if (ms < 1000) return fmt::format("{:.0f} ms", ms);
  if (ms < 60'000) return fmt::format("{:.1f} s", ms / 1000);
  const std::int64_t s = ns / kSecond;
  if (s < 3600) return fmt::format("{} min {} s", s / 60, s % 60);
  return fmt::format("{} h {} min", s / 3600, s / 60 % 60);
}

std::string SecondsText(std::int64_t ns) { return fmt::format("{:.1f} s", static_cast<double>(ns) / 1e9); }

}  // namespace glasspost
