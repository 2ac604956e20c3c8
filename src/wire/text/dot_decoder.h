// The data block of SMTP (RFC 5321 §4.5.2) and POP3's multi-line replies (RFC 1939 §3): lines ended by CRLF, a leading dot
// doubled, a line with a lone dot ends it. Only CRLF.CRLF ends it; look-alikes are reported, never obeyed.
#pragma once

#include <cstdint>

#include "base/octets.h"

namespace glasspost::text {

// What the scan saw so far, for findings. Counts are of the block as it is on the wire.
struct DotScan {
  bool eight_bit = false;          // an octet over 127
  bool bare_cr = false;            // CR not followed by LF
  bool bare_lf = false;            // LF not preceded by CR
  bool look_alike = false;         // LF.LF, LF.CRLF, CRLF.LF, CRLF.CR, CR.CR …: a lone dot between wrong line ends
  std::uint64_t longest_line = 0;  // octets, line end not counted
  std::uint64_t wire_octets = 0;   // all that was taken, with the final dot line
  std::uint64_t message_octets = 0;  // after un-stuffing, without the final dot line
};

class DotDecoder {
 public:
  // Ready for a new block. `at_line_start` is false when decoding resumes after a gap.
  void Reset(bool at_line_start = true);

  struct Step {
    std::size_t taken;  // octets of the input that belong to the block
    bool done;          // the lone dot was found; the rest of the input is the next command
  };
  // Calls sink(Octets) for each run of message octets, as long as they lie together; the views point into `input` or into
  // static storage. Any chunking of the block gives the same octets and the same scan.
  template <class Sink>
  Step Feed(Octets input, Sink&& sink);

  const DotScan& scan() const { return scan_; }
  // Length in message octets up to the last look-alike end of data, if one was seen.
  std::uint64_t look_alike_at() const { return look_alike_at_; }

 private:
  // Where the last octet left us.
  enum class State : std::uint8_t { kLineStart, kMid, kCr, kDot, kDotCr };
  friend struct DotDecoderAccess;

  DotScan scan_;
  std::uint64_t look_alike_at_ = 0;
  State state_ = State::kLineStart;
  std::uint64_t line_length_ = 0;
  // further members as the implementation needs them
};

}  // namespace glasspost::text
