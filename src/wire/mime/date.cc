#include "wire/mime/date.h"

#include <array>

#include "base/ascii.h"

namespace glasspost::mime {
namespace {

constexpr std::size_t kMaxDateOctets = 200;  // longer ones are no dates
constexpr std::string_view kMonths[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};

struct Zone {
  std::string_view name;
  int hours;
};
constexpr Zone kZones[] = {{"ut", 0},   {"gmt", 0},  {"utc", 0},  {"z", 0},    {"est", -5}, {"edt", -4},
                           {"cst", -6}, {"cdt", -5}, {"mst", -7}, {"mdt", -6}, {"pst", -8}, {"pdt", -7}};

// Words and numbers of a date: split at blanks, commas and comments.
class Tokens {
 public:
  explicit Tokens(Octets text) {
    std::size_t at = 0;
    while (at < text.size() && count_ < tokens_.size()) {
      const char c = text[at];
      if (c == '(') {
        std::size_t depth = 0;
        for (; at < text.size(); ++at) {
          if (text[at] == '(') ++depth;
          if (text[at] == ')' && --depth == 0) break;
        }
        if (at < text.size()) ++at;
      } else if (IsSeparator(c)) {
        ++at;
      } else {
        const std::size_t start = at;
        // "23-Nov-2026" is one date in three tokens; a sign at the beginning of a token is a zone's.
        while (at < text.size() && !IsSeparator(text[at]) && text[at] != '(' && !(text[at] == '-' && at > start)) ++at;
        if (count_ > 0 && count_ < 4 && text[start] == '-' && IsDayOrMonth(tokens_[count_ - 1])) {
          tokens_[count_++] = text.substr(start + 1, at - start - 1);
        } else {
          tokens_[count_++] = text.substr(start, at - start);
        }
      }
    }
  }
  Octets Next() { return next_ < count_ ? tokens_[next_++] : Octets{}; }
  Octets Peek() const { return next_ < count_ ? tokens_[next_] : Octets{}; }

 private:
  static bool IsSeparator(char c) { return c == ' ' || c == '\t' || c == ',' || c == '\r' || c == '\n'; }
  static bool IsDayOrMonth(Octets t) { return t.size() <= 3 && t.find(':') == Octets::npos; }
  std::array<Octets, 10> tokens_;
  std::size_t count_ = 0;
  std::size_t next_ = 0;
};

int Month(Octets word) {
  for (int m = 0; m < 12; ++m)
    if (word.size() >= 3 && EqualsNoCase(word.substr(0, 3), kMonths[m])) return m + 1;
  return 0;
}

// Days from 1970-01-01 of a date of the Gregorian calendar.
std::int64_t Days(std::int64_t y, int m, int d) {
  y -= m <= 2;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t year_of_era = y - era * 400;
  const std::int64_t day_of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

int DaysInMonth(std::int64_t y, int m) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0) ? 29 : kDays[m - 1];
}

// "01:02:03" or "01:02", as seconds of the day.
std::optional<int> TimeOfDay(Octets text) {
  int parts[3] = {0, 0, 0};
  int n = 0;
  while (n < 3) {
    const std::size_t colon = text.find(':');
    const auto value = ParseNumber(text.substr(0, colon));
    if (!value || *value > 60) return {};
    parts[n++] = static_cast<int>(*value);
    if (colon == Octets::npos) break;
    text.remove_prefix(colon + 1);
    if (n == 3) return {};
  }
  // 60: a leap second.
  if (n < 2 || parts[0] > 23 || parts[1] > 59) return {};
  return parts[0] * 3600 + parts[1] * 60 + parts[2];
}

void ReadZone(Octets zone, DateTime& date) {
  const auto digits = zone.empty() ? std::nullopt : ParseNumber(zone.substr(1));
  if (zone.size() == 5 && (zone[0] == '+' || zone[0] == '-') && digits && *digits % 100 < 60) {
    const int minutes = static_cast<int>(*digits / 100 * 60 + *digits % 100);
    date.offset_minutes = zone[0] == '-' ? -minutes : minutes;
    date.zone_known = zone != "-0000";
    return;
  }
  for (const Zone& z : kZones) {
    if (!EqualsNoCase(zone, z.name)) continue;
    date.offset_minutes = z.hours * 60;
    return;
  }
  date.zone_known = false;
}

}  // namespace

std::optional<DateTime> ParseDate(Octets text) {
  if (text.size() > kMaxDateOctets) return {};
  Tokens tokens(text);
  if (!tokens.Peek().empty() && !IsDigit(tokens.Peek().front()) && Month(tokens.Peek()) == 0) tokens.Next();  // day of the week
  auto day = ParseNumber(tokens.Peek());
  int month = 0;
  if (day) {
    tokens.Next();
    month = Month(tokens.Next());
  } else {  // "Nov 23 01:02:03 2026", C's asctime
    month = Month(tokens.Next());
    day = ParseNumber(tokens.Next());
  }
  if (!day || month == 0) return {};
  Octets time_word;
  if (tokens.Peek().find(':') != Octets::npos) time_word = tokens.Next();
  const Octets year_word = tokens.Next();
  const auto year_number = ParseNumber(year_word);
  if (!year_number || year_word.size() > 4) return {};
  auto year = static_cast<std::int64_t>(*year_number);
  if (year_word.size() == 2) year += year < 50 ? 2000 : 1900;
  if (year_word.size() == 3) year += 1900;
  if (time_word.empty()) time_word = tokens.Next();
  const auto seconds = TimeOfDay(time_word);
  if (!seconds || year < 1678 || year > 2261 || *day < 1 || *day > static_cast<unsigned>(DaysInMonth(year, month))) return {};

  DateTime date;
  ReadZone(tokens.Next(), date);
  const std::int64_t instant = Days(year, month, static_cast<int>(*day)) * 86400 + *seconds - date.offset_minutes * 60;
  date.time = instant * 1'000'000'000;
  return date;
}

}  // namespace glasspost::mime
