// The pass of dot_scan over whole steps of 64 octets, for one instruction set: `Isa::Load(p)` gives a step, `Isa::Of(step)` its
// masks, `Isa::High(step)` where its octets over 127 are, `Isa::Or(a, b)` a step that has each octet of both, put together by OR.
// Included by one source file an instruction set; everything is internal to it, and no inline function of a library is called,
// so that code for one instruction set never serves the other.
#pragma once

#include "wire/text/dot_scan.h"

namespace glasspost::text {
namespace {

struct Masks {
  std::uint64_t lf, cr, dot;
};

// What is carried from one step of 64 octets to the next.
struct Carry {
  std::uint64_t after_lf, after_cr;
  std::uint64_t longest;  // at least kShortLine
  std::int64_t line_start;
};

// Line ends of a step that begins at `at`.
[[gnu::always_inline]] inline void TakeLineEnds(std::uint64_t lf, std::size_t at, Carry& c) {
  const auto here = static_cast<std::int64_t>(at);
  const auto length = static_cast<std::uint64_t>(here + __builtin_ctzll(lf) - c.line_start - 1);
  if (length > c.longest) c.longest = length;
  c.line_start = here + 64 - __builtin_clzll(lf);
}

// The octets of a step from `from` up to `to`.
inline std::uint64_t Between(unsigned from, unsigned to) {
  return (~std::uint64_t{0} >> (64 - to)) & (~std::uint64_t{0} << from);
}

// Takes the `wanted` octets of one step, the last of them the one before `to`; `at` is where the step begins.
inline void TakeStep(const Masks& m, std::size_t at, std::uint64_t wanted, unsigned to, Carry& c) {
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
  Carry c{s.after_lf, s.after_cr, s.longest_line > kShortLine ? s.longest_line : kShortLine,
          -static_cast<std::int64_t>(s.line_length)};
  const char* const data = input.data();
  const std::size_t size = input.size();
  std::size_t at = 0;
  std::uint64_t stop = 0;
  Masks m{};
  typename Isa::Step step{}, passed{};
  // Nearly every step: nothing to stop at.
  for (; size - at >= 64; at += 64) {
    step = Isa::Load(data + at);
    m = Isa::Of(step);
    stop = Stops(m, 0, c);
    if (stop != 0) break;
    passed = Isa::Or(passed, step);
    c.after_lf = m.lf >> 63;
    c.after_cr = m.cr >> 63;
    if (m.lf != 0) TakeLineEnds(m.lf, at, c);
  }
  std::uint64_t high = Isa::High(passed);
  if (at < size) {
    unsigned from = 0;
    if (stop == 0) {  // the last step overlaps the one before it
      from = static_cast<unsigned>(at + 64 - size);
      at = size - 64;
      step = Isa::Load(data + at);
      m = Isa::Of(step);
      stop = Stops(m, from, c) >> from << from;
    }
    const auto to = static_cast<unsigned>(stop == 0 ? 64 : __builtin_ctzll(stop));
    if (to > from) {
      const std::uint64_t wanted = Between(from, to);
      high |= Isa::High(step) & wanted;
      TakeStep(m, at, wanted, to, c);
    }
    at += to;
  }
  s = {c.after_lf != 0, c.after_cr != 0, s.eight_bit || high != 0,
       static_cast<std::uint64_t>(static_cast<std::int64_t>(at) - c.line_start), c.longest > kShortLine ? c.longest : 0};
  return at;
}

}  // namespace
}  // namespace glasspost::text
