#include "wire/text/dot_scan.h"

#include <algorithm>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>

#include "wire/text/dot_scan_pass.h"
#endif

namespace glasspost::text {

std::size_t PassPlainOctetsSlowly(Octets input, DotScanState& s) {
  std::size_t i = 0;
  for (; i < input.size(); ++i) {
    const char c = input[i];
    if ((s.after_lf && c == '.') || (s.after_cr != (c == '\n'))) break;
    if (c == '\n') {
      const std::uint64_t length = s.line_length - 1;  // without the CR, which is there
      if (length > kShortLine) s.longest_line = std::max(s.longest_line, length);
      s.line_length = 0;
    } else {
      ++s.line_length;
    }
    s.eight_bit |= static_cast<std::uint8_t>(c) > 127;
    s.after_lf = c == '\n';
    s.after_cr = c == '\r';
  }
  return i;
}

#if defined(__x86_64__)
namespace {

struct Sse2 {
  struct Step {
    __m128i quarters[4];
  };
  static Step Load(const char* p) {
    Step s;
    for (int i = 0; i < 4; ++i) s.quarters[i] = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p + 16 * i));
    return s;
  }
  static Step Or(const Step& a, const Step& b) {
    Step s;
    for (int i = 0; i < 4; ++i) s.quarters[i] = _mm_or_si128(a.quarters[i], b.quarters[i]);
    return s;
  }
  static std::uint64_t High(const Step& s) {
    std::uint64_t bits = 0;
    for (int i = 0; i < 4; ++i)
      bits |= static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm_movemask_epi8(s.quarters[i]))) << (16 * i);
    return bits;
  }
  static std::uint64_t Bits(const Step& s, char c) {
    Step equal;
    for (int i = 0; i < 4; ++i) equal.quarters[i] = _mm_cmpeq_epi8(s.quarters[i], _mm_set1_epi8(c));
    return High(equal);
  }
  static Masks Of(const Step& s) { return {Bits(s, '\n'), Bits(s, '\r'), Bits(s, '.')}; }
};

std::size_t PassSse2(Octets input, DotScanState& s) { return Pass<Sse2>(input, s); }

}  // namespace

std::size_t PassAvx2(Octets input, DotScanState& s);    // dot_scan_avx2.cc
std::size_t PassAvx512(Octets input, DotScanState& s);  // dot_scan_avx512.cc

std::vector<PassFunction> PassFunctions() {
  std::vector<PassFunction> all;
  if (__builtin_cpu_supports("avx512bw")) all.push_back(PassAvx512);
  if (__builtin_cpu_supports("avx2")) all.push_back(PassAvx2);
  all.push_back(PassSse2);
  return all;
}

namespace {

const PassFunction kPass = PassFunctions().front();

}  // namespace

std::size_t PassPlainOctets(Octets input, DotScanState& s) {
  if (input.size() >= 64) return kPass(input, s);
  if (input.size() < 16) return PassPlainOctetsSlowly(input, s);
  // A short input is laid before fillers that stop the scan behind it.
  char step[65];
  std::memset(step, '\n', sizeof step);
  std::memcpy(step, input.data(), input.size());
  step[input.size()] = input.back() == '\r' ? 'x' : '\n';
  return kPass({step, 64}, s);
}
#else
std::vector<PassFunction> PassFunctions() { return {PassPlainOctetsSlowly}; }
std::size_t PassPlainOctets(Octets input, DotScanState& s) { return PassPlainOctetsSlowly(input, s); }
#endif

}  // namespace glasspost::text
