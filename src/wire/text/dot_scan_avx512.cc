// Compiled with -mavx512bw; called only where the processor has it.
#if defined(__AVX512BW__)
#include <immintrin.h>

#include "wire/text/dot_scan_pass.h"

namespace glasspost::text {
namespace {

struct Avx512 {
  struct Step {
    __m512i octets;
  };
  static Step Load(const char* p) { return {_mm512_loadu_si512(p)}; }
  static Step Or(const Step& a, const Step& b) { return {_mm512_or_si512(a.octets, b.octets)}; }
  static std::uint64_t High(const Step& s) { return _mm512_movepi8_mask(s.octets); }
  static std::uint64_t Bits(const Step& s, char c) { return _mm512_cmpeq_epi8_mask(s.octets, _mm512_set1_epi8(c)); }
  static Masks Of(const Step& s) { return {Bits(s, '\n'), Bits(s, '\r'), Bits(s, '.')}; }
};

}  // namespace

std::size_t PassAvx512(Octets input, DotScanState& s) { return Pass<Avx512>(input, s); }

}  // namespace glasspost::text
#endif
