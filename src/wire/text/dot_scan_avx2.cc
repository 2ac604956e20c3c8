// Compiled with -mavx2; called only where the processor has it.
#if defined(__AVX2__)
#include <immintrin.h>

#include "wire/text/dot_scan_pass.h"

namespace glasspost::text {
namespace {

struct Avx2 {
  static std::uint64_t Bits(__m256i low, __m256i high, char c) {
    const __m256i x = _mm256_set1_epi8(c);
    const auto l = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, x)));
    const auto h = static_cast<std::uint32_t>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, x)));
    return static_cast<std::uint64_t>(h) << 32 | l;
  }
  static Masks Of(const char* p) {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32));
    return {Bits(low, high, '\n'), Bits(low, high, '\r'), Bits(low, high, '.'),
            static_cast<std::uint64_t>(static_cast<std::uint32_t>(_mm256_movemask_epi8(high))) << 32 |
                static_cast<std::uint32_t>(_mm256_movemask_epi8(low))};
  }
};

}  // namespace

std::size_t PassAvx2(Octets input, DotScanState& s) { return Pass<Avx2>(input, s); }

}  // namespace glasspost::text
#endif
