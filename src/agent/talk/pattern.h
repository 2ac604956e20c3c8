// What a script expects of a reply.
//
//   250, 2.., 45.   SMTP: the code; a dot is any digit
//   +OK  -ERR  +    POP3: the status (IMAP: OK, NO, BAD, PREAUTH, BYE)
//   /regex/         PCRE2, looked for anywhere in the reply's lines; /regex/i without regard to case
//   close           the server closes the connection
//   anything else   a line of the reply, whole; * is any text, ? any octet
//
// Lines are looked at as they came ("250-SIZE 10"), and those of SMTP also with a space behind the code ("250 SIZE 10").
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "base/octets.h"
#include "wire/exchange.h"

namespace glasspost::agent::talk {

struct PatternLimits {
  static constexpr std::size_t kOctets = 1024;         // of a pattern
  static constexpr unsigned kMatches = 100'000;        // steps of a regular expression: stops one that tries for ever
  static constexpr unsigned kDepth = 1'000;            // of its backtracking
  static constexpr unsigned kHeapKib = 4'096;          // of its memory
  static constexpr std::size_t kReply = 1U << 16;      // octets of a reply that are looked at
  static constexpr std::size_t kGlobSteps = 1U << 20;  // of one line
};

// As a person sees it: the lines with code or status before them, each ended by '\n'.
std::string TextOf(const Reply& reply);

class Pattern {
 public:
  static Expected<Pattern> Parse(Octets text);
  // `heard`: the reply's lines as they came, each ended by '\n'.
  bool Matches(const Reply& reply, Octets heard = {}) const;
  bool close() const { return kind_ == Kind::kClose; }
  const std::string& text() const { return text_; }

 private:
  enum class Kind : std::uint8_t { kCode, kStatus, kRegex, kGlob, kClose };
  struct Regex;  // of PCRE2

  Kind kind_ = Kind::kGlob;
  std::string text_;
  std::shared_ptr<const Regex> regex_;
};

}  // namespace glasspost::agent::talk
