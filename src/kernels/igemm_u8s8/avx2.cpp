#include "kernels/igemm_u8s8/bytes_256.h"
#include "kernels/igemm_u8s8/rows.h"
#include "kernels/igemm_u8s8/tile.h"

namespace fovea::kernels {
namespace {

// Without VPDPBUSD: bytes are widened to words, whose products VPMADDWD adds without saturation. (VPMADDUBSW would
// saturate its sums of two products at 16 bits.)
struct Widening : Bytes256 {
  struct Pair {
    __m256i even, odd;  // bytes 0 and 2, and 1 and 3 of each quad as words
  };
  using Weights = Pair;
  using Bytes = Pair;

  static Weights load_weights(const std::int8_t* p) {
    const __m256i b = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    return {_mm256_srai_epi16(_mm256_slli_epi16(b, 8), 8), _mm256_srai_epi16(b, 8)};
  }
  static Bytes broadcast_bytes(std::int32_t quad) {
    const __m256i a = _mm256_set1_epi32(quad);
    return {_mm256_and_si256(a, _mm256_set1_epi16(0xff)), _mm256_srli_epi16(a, 8)};
  }
  static I dot(I sum, const Bytes& a, const Weights& b) {
    return _mm256_add_epi32(_mm256_add_epi32(sum, _mm256_madd_epi16(a.even, b.even)), _mm256_madd_epi16(a.odd, b.odd));
  }
};

}  // namespace

void igemm_u8s8_row_sums_avx2(const IgemmU8Run& run, std::int64_t k, std::int32_t* sums) {
  const __m256i zero = _mm256_setzero_si256();
  for (std::int64_t i = 0; i < run.m; ++i) {
    __m256i parts = zero;
    std::int32_t sum = 0;
    for (std::int64_t t = 0; t < run.taps; ++t) {
      const std::uint8_t* a = run.a + run.a_offsets[t * run.a_tap_stride + i];
      std::int64_t at = 0;
      for (; at + 32 <= k; at += 32) {
        const __m256i bytes = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + at));
        parts = _mm256_add_epi64(parts, _mm256_sad_epu8(bytes, zero));
      }
      for (; at < k; ++at) sum += a[at];
    }
    alignas(32) std::int64_t four[4];
    _mm256_store_si256(reinterpret_cast<__m256i*>(four), parts);
    sums[i] = sum + static_cast<std::int32_t>(four[0] + four[1] + four[2] + four[3]);
  }
}

void igemm_u8s8_4x16_avx2(const IgemmU8Run& run) { run_panel<Widening, 4, 2>(run); }
void igemm_u8s8_6x8_avx2(const IgemmU8Run& run) { run_panel<Widening, 6, 1>(run); }

}  // namespace fovea::kernels
