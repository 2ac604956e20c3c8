// Compiled with -mavx2; called only where the processor has it.
#if defined(__AVX2__)
#include <immintrin.h>

#include "wire/text/dot_scan_pass.h"

namespace glasspost::text {
namespace {

struct Avx2 {
  struct Step {
    __m256i low, high;
  };
  static Step Load(const char* p) {
    return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)),
            _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p + 32))};
  }
  static Step Or(const Step& a, const Step& b) { return {_mm256_or_si256(a.low, b.low), _mm256_or_si256(a.high, b.high)}; }
  static std::uint64_t High(const Step& s) {
    const auto l = static_cast<std::uint32_t>(_mm256_movemask_epi8(s.low));
    const auto h = static_cast<std::uint32_t>(_mm256_movemask_epi8(s.high));
    return static_cast<std::uint64_t>(h) << 32 | l;
  }
  static std::uint64_t Bits(const Step& s, char c) {
    const __m256i x = _mm256_set1_epi8(c);
    return High({_mm256_cmpeq_epi8(s.low, x), _mm256_cmpeq_epi8(s.high, x)});
  }
  static Masks Of(const Step& s) { return {Bits(s, '\n'), Bits(s, '\r'), Bits(s, '.')}; }
};

}  // namespace

std::size_t PassAvx2(Octets input, DotScanState& s) { return Pass<Avx2>(input, s); }

}  // namespace glasspost::text
#endif
