// Times as people and JSON read them.
#pragma once

#include <cstdint>
#include <string>

#include "base/origin.h"

namespace glasspost {

// RFC 3339 in UTC with nine digits of a second: 2026-11-23T08:15:30.123456789Z
void AppendRfc3339(std::string& out, Timestamp time);
// The same into `at`; gives where it ends, kRfc3339Octets farther.
inline constexpr std::size_t kRfc3339Octets = 30;
char* PutRfc3339(char* at, Timestamp time);
// The same of seconds since 1970, without a fraction: 2026-11-23T08:15:30Z. Years 0 to 9999; others become the nearest of them.
void AppendRfc3339Seconds(std::string& out, std::int64_t seconds);
// RFC 5322 §3.3 in UTC: "Mon, 23 Nov 2026 08:15:30 +0000". Years as above.
void AppendRfc5322(std::string& out, Timestamp time);
// 08:15:30.123456 (UTC), for terminals
void AppendTimeOfDay(std::string& out, Timestamp time);
// A difference in ns as milliseconds with up to six digits, no trailing zeros: 0.25, 1203, 0
void AppendMilliseconds(std::string& out, std::int64_t ns);
// The same into `at`; gives where it ends, less than kMillisecondsOctets farther.
inline constexpr std::size_t kMillisecondsOctets = 32;
char* PutMilliseconds(char* at, std::int64_t ns);
// For people: "0.25 ms", "1.2 s", "3 min 20 s"
std::string DurationText(std::int64_t ns);

// "7.0 s", however short or long
std::string SecondsText(std::int64_t ns);

void AppendNumber(std::string& out, std::uint64_t value);

}  // namespace glasspost
