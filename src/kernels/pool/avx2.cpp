#include "kernels/pool/generic.h"
#include "kernels/vector_math_avx2.h"

namespace fovea::kernels {
namespace {

template <class T, int kLowest>
struct IntegerMax {
  using Element = T;
  using Vector = __m256i;
  struct Tail {
    int n;
  };
  static constexpr int N = 32;
  static Tail tail(std::int64_t n) { return {static_cast<int>(n)}; }
  static Vector lowest() { return _mm256_set1_epi8(kLowest); }
  static Vector load(const T* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Vector load(const T* p, Tail t) {
    T full[N] = {};
    for (int i = 0; i < t.n; ++i) full[i] = p[i];
    return load(full);
  }
  static void store(T* p, Vector x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
  static void store(T* p, Vector x, Tail t) {
    T full[N];
    store(full, x);
    for (int i = 0; i < t.n; ++i) p[i] = full[i];
  }
  static Vector max(Vector x, Vector best) {
    if constexpr (kLowest == 0)
      return _mm256_max_epu8(x, best);
    else
      return _mm256_max_epi8(x, best);
  }
};
using MaxU8 = IntegerMax<std::uint8_t, 0>;
using MaxS8 = IntegerMax<std::int8_t, -128>;

}  // namespace
}  // namespace fovea::kernels

FOVEA_POOL_KERNELS(Avx2, MaxU8, MaxS8, avx2)
