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

// Takes the octets of one step from `from` up to `to`; `at` is where the step begins.
inline void TakeStep(const Masks& m, std::size_t at, unsigned from, unsigned to, Carry& c) {
  const std::uint64_t wanted = (~std::uint64_t{0} >> (64 - to)) & (~std::uint64_t{0} << from);
  c.high |= m.high & wanted;
  c.after_lf = m.lf >> (to - 1) & 1;
  c.after_cr = m.cr >> (to - 1) & 1;
  const std::uint64_t lf = m.lf & wanted;
  if (lf == 0) return;
  const auto here = static_cast<std::int64_t>(at);
  const auto length = static_cast<std::uint64_t>(here + __builtin_ctzll(lf) - c.line_start - 1);
  if (length > kShortLine) c.longest = std::max(c.longest, length);
  c.line_start = here + 64 - __builtin_clzll(lf);
}

// One pass; `Isa::Of` is inlined into a function of its own instruction set below. At least 64 octets.
template <class Isa>
inline std::size_t Pass(Octets input, DotScanState& s) {
  Carry c{s.after_lf, s.after_cr, 0, s.longest_line, -static_cast<std::int64_t>(s.line_length)};
  std::size_t at = 0;
  unsigned from = 0;  // in the last step, which overlaps the one before it
  while (at < input.size()) {
    if (at + 64 > input.size()) from = static_cast<unsigned>(at + 64 - input.size()), at = input.size() - 64;
    const Masks m = Isa::Of(input.data() + at);
    const std::uint64_t stop =
        (((((m.lf << 1) | (c.after_lf << from)) & m.dot) | (((m.cr << 1) | (c.after_cr << from)) ^ m.lf)) >> from) << from;
    const auto to = static_cast<unsigned>(stop == 0 ? 64 : __builtin_ctzll(stop));  // 64 if there is none
    if (to > from) TakeStep(m, at, from, to, c);
    at += to;
    if (to < 64) break;
  }
  s = {c.after_lf != 0, c.after_cr != 0, s.eight_bit || c.high != 0,
       static_cast<std::uint64_t>(static_cast<std::int64_t>(at) - c.line_start), c.longest};
  return at;
}

}  // namespace
}  // namespace glasspost::text
