// Looks for bare CR and bare LF in octets that pass and are not dot-stuffed (BDAT, RFC 3030). As fast as the dot decoder's scan,
// which it uses; any chunking sees the same.
#pragma once

#include <algorithm>
#include <cstdint>

#include "base/octets.h"
#include "wire/text/dot_scan.h"

namespace glasspost::text {

class LineEndScan {
 public:
  void Reset() { *this = LineEndScan{}; }
  void Take(Octets input) {
    while (!input.empty()) {
      input.remove_prefix(PassPlainOctets(input, state_));
      if (input.empty()) return;
      TakeOne(input.front());
      input.remove_prefix(1);
    }
  }
  // Nothing more comes: a CR at the very end is a bare one.
  void Finish() {
    bare_cr_ |= state_.after_cr;
    state_.after_cr = false;
  }

  bool bare() const { return bare_cr_ || bare_lf_; }
  bool bare_cr() const { return bare_cr_; }
  bool bare_lf() const { return bare_lf_; }
  bool eight_bit() const { return state_.eight_bit; }
  // Octets without line end; 0 where no line is longer than kShortLine.
  std::uint64_t longest_line() const {
    return state_.line_length > kShortLine ? std::max(state_.longest_line, state_.line_length) : state_.longest_line;
  }

 private:
  // An octet at which the scan stopped: a dot at a line's start, a bare LF, or the one after a bare CR.
  void TakeOne(char c) {
    if (state_.after_cr && c != '\n') bare_cr_ = true;
    const bool bare_lf = c == '\n' && !state_.after_cr;
    bare_lf_ |= bare_lf;
    state_.after_lf = false;
    state_.after_cr = c == '\r';
    state_.eight_bit |= static_cast<std::uint8_t>(c) > 127;
    if (c != '\n') {
      ++state_.line_length;
      return;
    }
    if (state_.line_length > kShortLine) state_.longest_line = std::max(state_.longest_line, state_.line_length);
    state_.line_length = 0;
    state_.after_lf = !bare_lf;
  }

  DotScanState state_{.after_lf = true};
  bool bare_cr_ = false;
  bool bare_lf_ = false;
};

}  // namespace glasspost::text
