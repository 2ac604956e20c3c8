// A message as a local program writes it, made fit to be handed over: recipients taken from its header, what is only for the
// sender's eyes taken out (Bcc), a From field and the empty line added where there is none. The body is not looked at.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "base/octets.h"

namespace glasspost::cli {

struct SendmailHeadLimits {
  static constexpr std::size_t kHeader = std::size_t{256} << 10;  // octets; a header is held until its end is seen
  static constexpr std::size_t kRecipients = 1000;
};

class SendmailHead {
 public:
  enum class State : std::uint8_t { kMore, kEnded, kTooLong };

  // Whole lines with their line ends, LF or CRLF. kEnded: `line` began the body (or was the empty line before it).
  State TakeLine(Octets line);
  // To be called once no more lines come before kEnded.
  void End() { done_ = true; }

  // What is to be sent before the body's first line, with the empty line. `from`: the field if there is none.
  std::string Text(const std::string& from) const;
  // The body's first octets: a line that is no field, so that the body begins without an empty line before it.
  const std::string& first_line() const { return first_line_; }
  // Of To, Cc and Bcc; or, where there are any, of their Resent- kin. More than kRecipients: there are too many, and not all are
  // named.
  std::vector<std::string> Recipients() const;
  bool has_from() const;

 private:
  std::string fields_;
  std::string first_line_;
  bool any_line_ = false;
  bool done_ = false;
};

// "From: Ada Lovelace <ada@a.test>\n": quoted where it must be (RFC 5322 §3.4), beyond ASCII in encoded words (RFC 2047 §5).
std::string FromField(const std::string& full_name, const std::string& address);

}  // namespace glasspost::cli
