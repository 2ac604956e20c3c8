#include "wire/text/dot_decoder.h"

namespace glasspost::text {

std::size_t DotDecoder::ScanPlain(Octets input) {
  DotScanState s{.after_lf = state_ == State::kLineStart,
                 .after_cr = state_ == State::kCr,
                 .eight_bit = scan_.eight_bit,
                 .line_length = line_length_,
                 .longest_line = scan_.longest_line};
  const std::size_t passed = PassPlainOctets(input, s);
  scan_.eight_bit = s.eight_bit;
  scan_.longest_line = s.longest_line;
  line_length_ = s.line_length;
  state_ = s.after_lf ? State::kLineStart : s.after_cr ? State::kCr : State::kMid;
  return passed;
}

void DotDecoder::EndLine() {
  if (line_length_ > kShortLine) scan_.longest_line = std::max(scan_.longest_line, line_length_);
  line_length_ = 0;
}

// Sees one octet that the scan could not pass, or any octet of the states behind a dot or a wrong line end.
DotDecoder::Move DotDecoder::Take(char c) {
  switch (state_) {
    case State::kLineStart:
      if (c == '.') return state_ = State::kDot, line_length_ = 1, Move::kHoldDot;
      return TakeOdd(c);
    case State::kMid:
      return TakeOdd(c);
    case State::kCr:
      return TakeAfterCr(c);
    case State::kDot:
      if (c == '\r') return state_ = State::kDotCr, Move::kHold;
      if (c == '\n') {
        scan_.bare_lf = true;
        held_ = "\n";
        state_ = State::kOddStart, line_length_ = 0;
        return Move::kLookAlike;
      }
      return TakeOdd(c);  // the dot was a stuffed one and is gone
    case State::kDotCr:
      if (c == '\n') return Move::kDone;
      scan_.bare_cr = true;
      held_ = "\r";
      state_ = State::kOddStart, line_length_ = 0;
      return Move::kLookAlikeBefore;
    case State::kOddStart:
      if (c == '.') return state_ = State::kOddDot, held_ = ".", line_length_ = 1, Move::kHoldOddDot;
      return TakeOdd(c);
    case State::kOddDot:
      if (c == '\r') return state_ = State::kOddDotCr, held_ = ".\r", Move::kHold;
      if (c == '\n') {
        scan_.bare_lf = true;
        held_ = ".\n";
        state_ = State::kOddStart, line_length_ = 0;
        return Move::kLookAlike;
      }
      TakeOdd(c);
      return Move::kRelease;
    case State::kOddDotCr:
      line_length_ = 0;
      if (c == '\n') return held_ = ".\r\n", state_ = State::kLineStart, Move::kLookAlike;
      scan_.bare_cr = true;
      state_ = State::kOddStart;
      return Move::kLookAlikeBefore;
  }
  return Move::kPass;
}

// An octet that is no dot at a line's start, with no CR before it.
DotDecoder::Move DotDecoder::TakeOdd(char c) {
  scan_.eight_bit |= static_cast<std::uint8_t>(c) > 127;
  if (c == '\n') {
    scan_.bare_lf = true;
    EndLine();
    state_ = State::kOddStart;
  } else {
    ++line_length_;
    state_ = c == '\r' ? State::kCr : State::kMid;
  }
  return Move::kPass;
}

// The octet after a CR that is no LF: the CR was a bare one.
DotDecoder::Move DotDecoder::TakeAfterCr(char c) {
  if (c == '\n') {
    --line_length_;  // the CR belongs to the line end
    EndLine();
    state_ = State::kLineStart;
    return Move::kPass;
  }
  scan_.bare_cr = true;
  if (c == '.') return state_ = State::kOddDot, held_ = ".", line_length_ = 1, Move::kHoldOddDot;
  return TakeOdd(c);
}

}  // namespace glasspost::text
