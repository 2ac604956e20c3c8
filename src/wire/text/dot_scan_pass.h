// The pass of dot_scan over whole steps of 64 octets, for one instruction set: `Isa::Of(p)` gives the masks of a step.
// Included by one source file an instruction set; everything is internal to it, and no inline function of a library is called,
// so that code for one instruction set never serves the other.
#pragma once

#include "wire/text/dot_scan.h"

namespace glasspost::text {
namespace {

struct Masks {
  std::uint64_t lf, cr, dot, high;
};

// What is carried from one step of 64 octets to the next.
struct Carry {
  std::uint64_t after_lf, after_cr, high, longest;
  std::int64_t line_start;
};

// Line ends of a step that begins at `at`.
[[gnu::always_inline]] inline void TakeLineEnds(std::uint64_t lf, std::size_t at, Carry& c) {
  const auto here = static_cast<std::int64_t>(at);
  const auto length = static_cast<std::uint64_t>(here + __builtin_ctzll(lf) - c.line_start - 1);
  if (length > kShortLine && length > c.longest) c.longest = length;
  c.line_start = here + 64 - __builtin_clzll(lf);
}

// Takes the octets of one step from `from` up to `to`; `at` is where the step begins.
inline void TakeStep(const Masks& m, std::size_t at, unsigned from, unsigned to, Carry& c) {
  const std::uint64_t wanted = (~std::uint64_t{0} >> (64 - to)) & (~std::uint64_t{0} << from);
  c.high |= m.high & wanted;
  c.after_lf = m.lf >> (to - 1) & 1;
  c.after_cr = m.cr >> (to - 1) & 1;
  const std::uint64_t lf = m.lf & wanted;
  if (lf != 0) TakeLineEnds(lf, at, c);
}

// Octets of a step at which the pass must stop: a dot at a line's start, the one after a bare CR, a bare LF. `from`: the first
// octet that was not passed before.
[[gnu::always_inline]] inline std::uint64_t Stops(const Masks& m, unsigned from, const Carry& c) {
  return (((m.lf << 1) | (c.after_lf << from)) & m.dot) | (((m.cr << 1) | (c.after_cr << from)) ^ m.lf);
}

// One pass; `Isa::Of` is inlined into a function of its own instruction set below. At least 64 octets.
template <class Isa>
inline std::size_t Pass(Octets input, DotScanState& s) {
  Carry c{s.after_lf, s.after_cr, 0, s.longest_line, -static_cast<std::int64_t>(s.line_length)};
  const char* const data = input.data();
  const std::size_t size = input.size();
  std::size_t at = 0;
  std::uint64_t stop = 0;
  Masks m{};
  // Nearly every step: nothing to stop at.
  for (; size - at >= 64; at += 64) {
    m = Isa::Of(data + at);
    stop = Stops(m, 0, c);
    if (stop != 0) break;
    c.high |= m.high;
    c.after_lf = m.lf >> 63;
    c.after_cr = m.cr >> 63;
    if (m.lf != 0) TakeLineEnds(m.lf, at, c);
  }
  if (at < size) {
    unsigned from = 0;
    if (stop == 0) {  // the last step overlaps the one before it
      from = static_cast<unsigned>(at + 64 - size);
      at = size - 64;
      m = Isa::Of(data + at);
      stop = Stops(m, from, c) >> from << from;
    }
    const auto to = static_cast<unsigned>(stop == 0 ? 64 : __builtin_ctzll(stop));
    if (to > from) TakeStep(m, at, from, to, c);
    at += to;
  }
  s = {c.after_lf != 0, c.after_cr != 0, s.eight_bit || c.high != 0,
       static_cast<std::uint64_t>(static_cast<std::int64_t>(at) - c.line_start), c.longest};
  return at;
}

}  // namespace
}  // namespace glasspost::text
