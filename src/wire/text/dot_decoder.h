// The data block of SMTP (RFC 5321 §4.5.2) and POP3's multi-line replies (RFC 1939 §3): lines ended by CRLF, a leading dot
// doubled, a line with a lone dot ends it. Only CRLF.CRLF ends it; look-alikes are reported, never obeyed.
// Every octet of every message passes here, so the plain part is scanned 64 octets at a time (dot_scan.h).
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "base/octets.h"
#include "wire/text/dot_scan.h"

namespace glasspost::text {

// What the scan saw so far, for findings. Counts are of the block as it is on the wire.
struct DotScan {
  bool eight_bit = false;   // an octet over 127
  bool bare_cr = false;     // CR not followed by LF
  bool bare_lf = false;     // LF not preceded by CR
  bool look_alike = false;  // LF.LF, LF.CRLF, CRLF.LF, CRLF.CR, CR.CR …: a lone dot between line ends that are not both CRLF
  std::uint64_t longest_line = 0;    // octets without line end; 0 where no line is longer than 64
  std::uint64_t wire_octets = 0;     // all that was taken, with the final dot line
  std::uint64_t message_octets = 0;  // given to the sink: un-stuffed, without the final dot line
};

class DotDecoder {
 public:
  // Ready for a new block. `at_line_start` is false when decoding resumes after a gap.
  void Reset(bool at_line_start = true) {
    *this = DotDecoder{};
    state_ = at_line_start ? State::kLineStart : State::kMid;
  }

  // Goes on after octets that were never captured: what was held back is given to nobody, counts stay.
  void SkipGap() {
    held_ = {};
    state_ = State::kMid;
    line_length_ = 0;
  }

  struct Step {
    std::size_t taken;  // octets of the input that belong to the block
    bool done;          // the lone dot was found; the rest of the input is the next command
    bool look_alike;    // stopped right after a look-alike; Feed again to go on, or Reset to believe that it ended the block
  };
  // Calls sink(Octets) for each run of message octets, as long as they lie together; the views point into `input` or into
  // static storage. Any chunking of the block gives the same octets and the same scan. At a look-alike the octets before its dot
  // were given to the sink and the rest of it is held back until the next Feed.
  template <class Sink>
  Step Feed(Octets input, Sink&& sink) {
    std::size_t run = 0;  // where the message octets not yet given begin
    const auto give = [&](std::size_t end) {
      if (end > run) Give(input.substr(run, end - run), sink);
      run = end;
    };
    if (!held_.empty() && state_ < State::kOddDot) Give(std::exchange(held_, Octets{}), sink);  // of a look-alike
    std::size_t at = 0;
    while (at < input.size()) {
      if (state_ <= State::kCr) {
        at += ScanPlain(input.substr(at));
        if (at == input.size()) break;
      }
      const Move move = Take(input[at]);
      if (move == Move::kHoldDot || move == Move::kHoldOddDot) give(at), run = at + 1;
      if (move == Move::kDone) return Stop(at + 1, true, false);
      if (move == Move::kLookAlike) return Stop(at + 1, false, true);
      if (move == Move::kLookAlikeBefore) return Stop(at, false, true);
      if (move == Move::kHold) run = at + 1;
      if (move == Move::kRelease) run = at, Give(std::exchange(held_, Octets{}), sink);
      ++at;
    }
    give(input.size());
    return Stop(at, false, false);
  }

  DotScan scan() const {
    DotScan s = scan_;
    if (line_length_ > kShortLine) s.longest_line = std::max(s.longest_line, line_length_);
    return s;
  }

 private:
  // What the last octets were. The first three are those from which the fast scan may start.
  enum class State : std::uint8_t {
    kLineStart,  // CRLF, or the beginning
    kMid,
    kCr,
    kDot,       // CRLF.
    kDotCr,     // CRLF.CR
    kOddStart,  // a bare LF
    kOddDot,    // a bare LF or CR, and a dot
    kOddDotCr,
  };
  enum class Move : std::uint8_t { kPass, kHoldDot, kHoldOddDot, kHold, kRelease, kDone, kLookAlike, kLookAlikeBefore };

  template <class Sink>
  void Give(Octets octets, Sink&& sink) {
    if (octets.empty()) return;
    scan_.message_octets += octets.size();
    sink(octets);
  }
  Step Stop(std::size_t taken, bool done, bool look_alike) {
    scan_.wire_octets += taken;
    scan_.look_alike |= look_alike;
    return {taken, done, look_alike};
  }

  std::size_t ScanPlain(Octets input);  // octets up to the next one that `Take` must see
  Move Take(char c);
  Move TakeAfterCr(char c);
  Move TakeOdd(char c);
  void EndLine();

  DotScan scan_;
  Octets held_;  // static storage
  State state_ = State::kLineStart;
  std::uint64_t line_length_ = 0;  // octets of the line so far, CR included
};

}  // namespace glasspost::text
