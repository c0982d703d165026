#include "kernels/pool_u8/generic.h"
#include "kernels/vector_math_avx512.h"

namespace fovea::kernels {
namespace {

struct WordsAvx512 {
  using V = Avx512;
  using W = __m512i;
  using Tail = __mmask32;
  static constexpr int N = 32;
  static Tail tail(int n) { return (__mmask32{1} << n) - 1; }
  static W zero() { return _mm512_setzero_si512(); }
  static W load(const std::uint8_t* p) {
    return _mm512_cvtepu8_epi16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static W load(const std::uint8_t* p, Tail t) { return _mm512_cvtepu8_epi16(_mm256_maskz_loadu_epi8(t, p)); }
  static W add(W a, W b) { return _mm512_add_epi16(a, b); }
  static void widen(W x, __m512i (&out)[2]) {
    out[0] = _mm512_cvtepu16_epi32(_mm512_castsi512_si256(x));
    out[1] = _mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(x, 1));
  }
};

}  // namespace
}  // namespace fovea::kernels

FOVEA_POOL_U8_KERNELS(WordsAvx512, avx512)
