#include "kernels/pool/generic.h"
#include "kernels/vector_math_avx512.h"

namespace fovea::kernels {
namespace {

template <class T, int kLowest>
struct IntegerMax {
  using Element = T;
  using Vector = __m512i;
  using Tail = __mmask64;
  static constexpr int N = 64;
  static Tail tail(std::int64_t n) { return (__mmask64{1} << n) - 1; }
  static Vector lowest() { return _mm512_set1_epi8(kLowest); }
  static Vector load(const T* p) { return _mm512_loadu_si512(p); }
  static Vector load(const T* p, Tail t) { return _mm512_maskz_loadu_epi8(t, p); }
  static void store(T* p, Vector x) { _mm512_storeu_si512(p, x); }
  static void store(T* p, Vector x, Tail t) { _mm512_mask_storeu_epi8(p, t, x); }
  static Vector max(Vector x, Vector best) {
    if constexpr (kLowest == 0)
      return _mm512_max_epu8(x, best);
    else
      return _mm512_max_epi8(x, best);
  }
};
using MaxU8 = IntegerMax<std::uint8_t, 0>;
using MaxS8 = IntegerMax<std::int8_t, -128>;

}  // namespace
}  // namespace fovea::kernels

FOVEA_POOL_KERNELS(Avx512, MaxU8, MaxS8, avx512)
