// SMTP and LMTP replies (RFC 5321 §4.2, RFC 2034, RFC 3463): lines into typed values and back.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/field.h"
#include "base/octets.h"

namespace glasspost::smtp {

struct ReplyLine {
  int code = 0;
  bool more = false;      // '-' after the code: not the last line
  bool separator = true;  // false: neither ' ' nor '-' nor the end followed the code
  Octets text;            // behind the separator, enhanced code included
};
// False if the line does not begin with three digits: no reply at all. `line` without its line end.
bool ParseReplyLine(Octets line, ReplyLine& reply);

// "2.1.5" at the front of a reply line's text, where its class is the code's; empty if there is none (RFC 3463 §2).
Octets EnhancedCode(int code, Octets text);
// The text behind that.
Octets WithoutEnhancedCode(Octets text, Octets enhanced);

struct ReplyValue {
  int code = 0;
  std::string enhanced;
  std::vector<std::string> lines;  // without the enhanced code; never with line ends in them
  bool codes_differ = false;       // RFC 5321 §4.2.1: a line has another code than the first
  bool cut = false;                // a bound was reached
  void Clear() {
    code = 0;
    enhanced.clear(), lines.clear();
    codes_differ = cut = false;
  }
};

struct ReplyLimits {
  // Stops a server that answers for ever from filling the memory.
  std::size_t lines = 1000;
  std::size_t octets = std::size_t{64} << 10;
};

// Puts lines together to replies, for the client. Fed with whole lines.
class ReplyAssembler {
 public:
  enum class Step { kMore, kDone, kNoReply };  // kNoReply: the line has no code; nothing was taken
  explicit ReplyAssembler(const ReplyLimits& limits = {}) : limits_(limits) {}
  // kDone: `reply()` is whole until the next call.
  Step Add(Octets line);
  const ReplyValue& reply() const { return reply_; }

 private:
  ReplyLimits limits_;
  ReplyValue reply_;
  std::size_t octets_ = 0;
  bool done_ = true;
};

// All lines with CRLF.
void AppendReply(std::string& out, const ReplyValue& reply);

template <class V>
void ReportReply(Octets line, const ReplyLine& r, std::size_t offset, V& visitor) {
  if constexpr (V::kWanted) {
    Report(visitor, Field::kSmtpResponse, offset, line.size(), line);
    Report(visitor, Field::kSmtpResponseCode, offset, 3, static_cast<std::uint64_t>(r.code));
    if (r.more) Report(visitor, Field::kSmtpResponseMore, offset + 3, 1, std::uint64_t{1});
    const auto at = [&](Octets part) { return offset + static_cast<std::size_t>(part.data() - line.data()); };
    const Octets enhanced = EnhancedCode(r.code, r.text);
    if (!enhanced.empty()) Report(visitor, Field::kSmtpResponseEnhanced, at(enhanced), enhanced.size(), enhanced);
    if (!r.text.empty()) Report(visitor, Field::kSmtpRspParameter, at(r.text), r.text.size(), r.text);
  }
}

}  // namespace glasspost::smtp
