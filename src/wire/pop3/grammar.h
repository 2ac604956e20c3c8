// POP3's grammar: commands, status lines and the lines of listings, from octets and back (RFC 1939, RFC 2449 §4, RFC 3206,
// RFC 5034, RFC 6856). Views point into the line that was given; lines come without their line ends. No state, no errors: what
// is no command is Command::kUnknown, what is no status line is Status::kNone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ascii.h"
#include "base/field.h"
#include "base/octets.h"

namespace glasspost::pop3 {

enum class Command : std::uint8_t {
  kUnknown,
  kUser,
  kPass,
  kApop,
  kAuth,
  kStat,
  kList,
  kRetr,
  kDele,
  kNoop,
  kRset,
  kTop,
  kUidl,
  kQuit,
  kCapa,
  kStls,
  kUtf8,
  kLang,
};
inline constexpr int kCommandCount = 18;
std::string_view Name(Command command);  // "RETR"; empty for kUnknown
Command CommandOf(Octets verb);          // without regard to case (RFC 1939 §3)

struct CommandLine {
  Command command = Command::kUnknown;
  Octets verb;      // as the client wrote it
  Octets argument;  // the rest after one separator, without spaces at its end; of PASS exactly what follows the separator
};
// Also takes what clients send in spite of the grammar: spaces before the verb, a tab for the space, other characters glued to
// it.
template <class V>
CommandLine ParseCommand(Octets line, V& visitor);
CommandLine ParseCommand(Octets line);
// With CRLF.
std::string ToOctets(const CommandLine& line);

enum class Status : std::uint8_t { kNone, kOk, kErr, kContinue };
std::string_view Name(Status status);  // "+OK"

struct StatusLine {
  Status status = Status::kNone;
  Octets code;  // response code without its brackets: "IN-USE", "SYS/TEMP" (RFC 2449 §8, RFC 3206); part of `text` too
  Octets text;  // after the status and one space
};
// `+` alone, or with a space after it, is a continuation (RFC 5034 §4); with `challenge` so is `+` glued to its text.
template <class V>
StatusLine ParseStatus(Octets line, V& visitor, bool challenge = false);
StatusLine ParseStatus(Octets line, bool challenge = false);
std::string ToOctets(const StatusLine& line);

// "2 200" of LIST, "2 QhdPYR:00WBw1Ph7x7" of UIDL, "2 320" of STAT.
struct ListingLine {
  std::uint64_t number = 0;
  Octets rest;  // a size or a unique-id
};
std::optional<ListingLine> ParseListing(Octets line);
// The size that servers like to print, "120 octets": the first number in the text if "octet" or "byte" follows it. A hint only.
std::optional<std::uint64_t> PrintedSize(Octets text);

// ---- templates ----

namespace detail {
struct Parts {
  CommandLine line;
  std::size_t verb_at = 0;
  std::size_t argument_at = 0;
};
Parts Split(Octets line);
struct StatusParts {
  StatusLine line;
  std::size_t text_at = 0;
};
StatusParts SplitStatus(Octets line, bool challenge);
}  // namespace detail

template <class V>
CommandLine ParseCommand(Octets line, V& visitor) {
  const detail::Parts p = detail::Split(line);
  Report(visitor, Field::kPopRequest, 0, line.size(), line);
  Report(visitor, Field::kPopRequestCommand, p.verb_at, p.line.verb.size(), p.line.verb);
  if (!p.line.argument.empty())
    Report(visitor, Field::kPopRequestParameter, p.argument_at, p.line.argument.size(), p.line.argument);
  return p.line;
}

template <class V>
StatusLine ParseStatus(Octets line, V& visitor, bool challenge) {
  const detail::StatusParts p = detail::SplitStatus(line, challenge);
  Report(visitor, Field::kPopResponse, 0, line.size(), line);
  if (p.line.status == Status::kNone) {
    Report(visitor, Field::kPopResponseData, 0, line.size(), line);
    return p.line;
  }
  const std::size_t indicator = Name(p.line.status).size();
  Report(visitor, Field::kPopResponseIndicator, 0, indicator, line.substr(0, indicator));
  if (!p.line.text.empty()) Report(visitor, Field::kPopResponseDescription, p.text_at, p.line.text.size(), p.line.text);
  return p.line;
}

}  // namespace glasspost::pop3
