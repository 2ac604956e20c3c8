// Date and time of a header field (RFC 5322 §3.3, with the obsolete forms of §4.3 and what senders make of them).
#pragma once

#include <optional>

#include "base/octets.h"
#include "base/origin.h"

namespace glasspost::mime {

struct DateTime {
  Timestamp time = kNoTime;  // the instant
  int offset_minutes = 0;    // the zone that the sender named, east positive
  bool zone_known = true;    // false: no zone, "-0000" or a word that names none; taken as UTC (RFC 5322 §4.3)
};

// "Mon, 23 Nov 2026 01:02:03 +0800 (CST)". Day of the week, seconds and comments may be missing; a two- or three-digit year is
// completed. Nothing if it is no date, or one before 1678 or after 2261 (a Timestamp holds no others).
std::optional<DateTime> ParseDate(Octets text);

}  // namespace glasspost::mime
