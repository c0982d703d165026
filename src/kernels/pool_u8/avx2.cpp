#include "kernels/pool_u8/generic.h"
#include "kernels/vector_math_avx2.h"

namespace fovea::kernels {
namespace {

struct WordsAvx2 {
  using V = Avx2;
  using W = __m256i;
  struct Tail {
    int n;
  };
  static constexpr int N = 16;
  static Tail tail(int n) { return {n}; }
  static W zero() { return _mm256_setzero_si256(); }
  static W load(const std::uint8_t* p) {
    return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static W load(const std::uint8_t* p, Tail t) {
    std::uint8_t full[N] = {};
    for (int i = 0; i < t.n; ++i) full[i] = p[i];
    return load(full);
  }
  static W add(W a, W b) { return _mm256_add_epi16(a, b); }
  static void widen(W x, __m256i (&out)[2]) {
    out[0] = _mm256_cvtepu16_epi32(_mm256_castsi256_si128(x));
    out[1] = _mm256_cvtepu16_epi32(_mm256_extracti128_si256(x, 1));
  }
};

}  // namespace
}  // namespace fovea::kernels

FOVEA_POOL_U8_KERNELS(WordsAvx2, avx2)
