// Questions and records as people write them, for a message of DNS that is being made.
#pragma once

#include "base/error.h"
#include "base/field.h"
#include "wire/dns/message.h"

namespace glasspost::capture {

inline constexpr std::uint32_t kRecordTtl = 3600;  // seconds, where none is said

// The fields that count what a message has, one a section.
bool CountsRecords(Field field);

// Adds `text` to the section that `count` counts: "NAME [TTL] [CLASS] TYPE DATA" (RFC 1035 §5.1, every name a whole one), or,
// where questions are counted, "NAME [CLASS] TYPE". The error says what of it cannot be read.
Expected<void> AddRecord(dns::Message& message, Field count, Octets text);

}  // namespace glasspost::capture
