// A message on its way out: every line end becomes CRLF (a bare CR or LF is never sent), and, if so wanted, a dot at a line's
// start is doubled (RFC 5321 §4.5.2, RFC 1939 §3). Streams; any chunking gives the same octets. Plain text costs a scan and a
// copy.
#pragma once

#include <cstdint>
#include <string>

#include "base/octets.h"
#include "wire/text/dot_scan.h"

namespace glasspost::text {

class LineEncoder {
 public:
  explicit LineEncoder(bool stuff_dots = true) : stuff_dots_(stuff_dots) {}
  void Reset(bool stuff_dots) { *this = LineEncoder(stuff_dots); }
  void Append(std::string& out, Octets input) {
    while (!input.empty()) {
      const std::size_t plain = PassPlainOctets(input, state_);
      out.append(input.substr(0, plain));
      input.remove_prefix(plain);
      if (!input.empty() && AppendOdd(out, input.front())) input.remove_prefix(1);
    }
  }
  // Ends a last line that has no end. Nothing for a message without octets.
  void Finish(std::string& out) {
    if (state_.after_cr) {
      out += '\n';
    } else if (!state_.after_lf) {
      out += "\r\n";
    }
    state_ = {.after_lf = true};
  }

 private:
  // The octet at which the scan stopped. False: it is to be looked at again.
  bool AppendOdd(std::string& out, char c) {
    const bool lf = c == '\n';
    if (state_.after_cr && !lf) {  // the CR was a bare one
      out += '\n';
      state_ = {.after_lf = true};
      return false;
    }
    if (lf && !state_.after_cr) {
      out += "\r\n";
      state_ = {.after_lf = true};
      return true;
    }
    if (c == '.' && state_.after_lf && stuff_dots_) out += '.';
    out += c;
    state_ = {.after_lf = lf, .after_cr = c == '\r', .line_length = 1};
    return true;
  }

  DotScanState state_{.after_lf = true};
  bool stuff_dots_;
};

}  // namespace glasspost::text
