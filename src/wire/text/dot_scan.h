// The fast part of the dot decoder: passes over octets that need no thought, 64 at a time (AVX-512, AVX2 or SSE2, else one by
// one).
#pragma once

#include <cstdint>
#include <vector>

#include "base/octets.h"

namespace glasspost::text {

// Lines up to here are not measured: they lie within one step of the scan.
inline constexpr std::uint64_t kShortLine = 64;

struct DotScanState {
  bool after_lf = false;           // the last octet was the LF of a CRLF (or the block begins here)
  bool after_cr = false;           // the last octet was a CR
  bool eight_bit = false;          // set when an octet over 127 was passed
  std::uint64_t line_length = 0;   // octets of the current line so far
  std::uint64_t longest_line = 0;  // without CR; of lines longer than kShortLine
};

// Octets of `input` passed: up to the first dot at a line's start, or the first octet that shows a bare CR or bare LF
// (the bare LF itself, or the octet after the bare CR). `state` is as it stands before that octet.
std::size_t PassPlainOctets(Octets input, DotScanState& state);

// The implementations that this processor can run, the one that PassPlainOctets uses first. For inputs of 64 octets and more.
using PassFunction = std::size_t (*)(Octets, DotScanState&);
std::vector<PassFunction> PassFunctions();

// The same one octet at a time; what the fast one is tested against.
std::size_t PassPlainOctetsSlowly(Octets input, DotScanState& state);

}  // namespace glasspost::text
