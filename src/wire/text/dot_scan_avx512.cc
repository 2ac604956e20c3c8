// Compiled with -mavx512bw; called only where the processor has it.
#if defined(__AVX512BW__)
#include <immintrin.h>

#include "wire/text/dot_scan_pass.h"

namespace glasspost::text {
namespace {

struct Avx512 {
  static Masks Of(const char* p) {
    const __m512i v = _mm512_loadu_si512(p);
    return {_mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\n')), _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('\r')),
            _mm512_cmpeq_epi8_mask(v, _mm512_set1_epi8('.')), _mm512_movepi8_mask(v)};
  }
};

}  // namespace

std::size_t PassAvx512(Octets input, DotScanState& s) { return Pass<Avx512>(input, s); }

}  // namespace glasspost::text
#endif
