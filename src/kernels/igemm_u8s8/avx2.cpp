#include "kernels/igemm_u8s8/rows.h"
#include "kernels/igemm_u8s8/tile.h"
#include "kernels/vector_math_avx2.h"

namespace fovea::kernels {
namespace {

// Without VPDPBUSD: bytes are widened to words, whose products VPMADDWD adds without saturation. (VPMADDUBSW would
// saturate its sums of two products at 16 bits.)
struct Widening : Avx2 {
  struct Pair {
    __m256i even, odd;  // bytes 0 and 2, and 1 and 3 of each quad as words
  };
  using Weights = Pair;
  using Bytes = Pair;

  static I iload(const std::int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static I ibroadcast(std::int32_t x) { return _mm256_set1_epi32(x); }
  static I mullo(I a, I b) { return _mm256_mullo_epi32(a, b); }
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

  // Lane l (four floats) of x to p + l * stride.
  static void store_lanes(float* p, int stride, F x) {
    _mm_storeu_ps(p, _mm256_castps256_ps128(x));
    _mm_storeu_ps(p + stride, _mm256_extractf128_ps(x, 1));
  }

  struct Bounds {
    __m256i zero_point;
    __m128i low, high;
  };
  static Bounds bounds(const Requantise& q) {
    return {_mm256_set1_epi16(static_cast<short>(q.zero_point)), _mm_set1_epi8(static_cast<char>(q.low)),
            _mm_set1_epi8(static_cast<char>(q.high))};
  }

  // Values past the range of s32 would convert to its lowest; the packs saturate the rest.
  template <bool kPlain>
  static __m256i to_int(F v) {
    return _mm256_cvtps_epi32(kPlain ? v : _mm256_min_ps(v, _mm256_set1_ps(65536.0f)));
  }

  // Rounds, packs and stores n of kNv vectors of packed order.
  template <int kNv, bool kPlain>
  [[gnu::always_inline]] static void store_bytes(std::uint8_t* c, int n, const F (&v)[kNv], const Bounds& bounds) {
    const __m256i words =
        _mm256_adds_epi16(_mm256_packs_epi32(to_int<kPlain>(v[0]), to_int<kPlain>(v[kNv - 1])), bounds.zero_point);
    const __m256i lanes = _mm256_packus_epi16(words, words);
    // Of the four dwords of each lane the first kNv are wanted.
    const __m256i order =
        kNv == 1 ? _mm256_setr_epi32(0, 4, 0, 0, 0, 0, 0, 0) : _mm256_setr_epi32(0, 1, 4, 5, 0, 0, 0, 0);
    __m128i bytes = _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(lanes, order));
    bytes = _mm_min_epu8(_mm_max_epu8(bytes, bounds.low), bounds.high);
    if (n == 16) return _mm_storeu_si128(reinterpret_cast<__m128i*>(c), bytes);
    alignas(16) std::uint8_t all[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), bytes);
    std::memcpy(c, all, static_cast<std::size_t>(n));
  }

  // The inverse: n bytes as floats in packed order.
  template <int kNv>
  [[gnu::always_inline]] static void load_bytes(const std::uint8_t* p, int n, F (&out)[kNv]) {
    alignas(16) std::uint8_t all[16] = {};
    std::memcpy(all, p, static_cast<std::size_t>(n));
    const __m128i bytes = _mm_load_si128(reinterpret_cast<const __m128i*>(all));
    if constexpr (kNv == 1) {
      out[0] = to_float(_mm256_cvtepu8_epi32(bytes));
    } else {
      const __m128i sorted = _mm_shuffle_epi32(bytes, 0xd8);  // the dwords of vector 0, then those of vector 1
      out[0] = to_float(_mm256_cvtepu8_epi32(sorted));
      out[1] = to_float(_mm256_cvtepu8_epi32(_mm_srli_si128(sorted, 8)));
    }
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
