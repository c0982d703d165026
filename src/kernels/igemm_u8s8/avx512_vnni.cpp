#include "kernels/igemm_u8s8/rows.h"
#include "kernels/igemm_u8s8/tile.h"
#include "kernels/vector_math_avx512.h"

namespace fovea::kernels {
namespace {

struct Vnni : Avx512 {
  using Weights = __m512i;
  using Bytes = __m512i;

  static I iload(const std::int32_t* p) { return _mm512_loadu_si512(p); }
  static I ibroadcast(std::int32_t x) { return _mm512_set1_epi32(x); }
  static I mullo(I a, I b) { return _mm512_mullo_epi32(a, b); }
  static Weights load_weights(const std::int8_t* p) { return _mm512_loadu_si512(p); }
  static Bytes broadcast_bytes(std::int32_t quad) { return _mm512_set1_epi32(quad); }
  static I dot(I sum, Bytes bytes, Weights weights) { return _mm512_dpbusd_epi32(sum, bytes, weights); }

  // Lane l (four floats) of x to p + l * stride.
  static void store_lanes(float* p, int stride, F x) {
    _mm_storeu_ps(p, _mm512_castps512_ps128(x));
    _mm_storeu_ps(p + stride, _mm512_extractf32x4_ps(x, 1));
    _mm_storeu_ps(p + 2 * stride, _mm512_extractf32x4_ps(x, 2));
    _mm_storeu_ps(p + 3 * stride, _mm512_extractf32x4_ps(x, 3));
  }

  struct Bounds {
    __m512i zero_point, low, high;
  };
  static Bounds bounds(const Requantise& q) {
    return {_mm512_set1_epi16(static_cast<short>(q.zero_point)), _mm512_set1_epi8(static_cast<char>(q.low)),
            _mm512_set1_epi8(static_cast<char>(q.high))};
  }

  static __mmask64 bytes_mask(int n) { return _cvtu64_mask64(n >= 64 ? ~0ull : (1ull << n) - 1); }
  // Values past the range of s32 would convert to its lowest; the packs saturate the rest.
  template <bool kPlain>
  static __m512i to_int(F v) {
    return _mm512_cvtps_epi32(kPlain ? v : _mm512_min_ps(v, _mm512_set1_ps(65536.0f)));
  }
  template <bool kPlain>
  static __m512i to_words(F a, F b, __m512i zero_point) {
    const __m512i words = _mm512_packs_epi32(to_int<kPlain>(a), to_int<kPlain>(b));
    return kPlain ? words : _mm512_adds_epi16(words, zero_point);
  }

  // Rounds, packs and stores n of kNv vectors of packed order. kPlain: n is all of them, the rest of is_plain() holds
  // too.
  template <int kNv, bool kPlain>
  [[gnu::always_inline]] static void store_bytes(std::uint8_t* c, int n, const F (&v)[kNv], const Bounds& bounds) {
    const __m512i low_words = to_words<kPlain>(v[0], v[kNv > 1 ? 1 : 0], bounds.zero_point);
    __m512i high_words = low_words;
    if constexpr (kNv > 2) high_words = to_words<kPlain>(v[2], v[kNv > 3 ? 3 : 2], bounds.zero_point);
    __m512i bytes = _mm512_packus_epi16(low_words, high_words);
    if (!kPlain) bytes = _mm512_min_epu8(_mm512_max_epu8(bytes, bounds.low), bounds.high);
    // Of the four dwords of each lane the first kNv are wanted.
    if constexpr (kNv == 1)
      bytes = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0), bytes);
    if constexpr (kNv == 2)
      bytes = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 1, 4, 5, 8, 9, 12, 13, 0, 0, 0, 0, 0, 0, 0, 0), bytes);
    if constexpr (kNv == 3)
      bytes = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 0, 0, 0, 0), bytes);
    if constexpr (!kPlain) return _mm512_mask_storeu_epi8(c, bytes_mask(n), bytes);
    if constexpr (kNv == 4) return _mm512_storeu_si512(c, bytes);
    if constexpr (kNv == 1) return _mm_storeu_si128(reinterpret_cast<__m128i*>(c), _mm512_castsi512_si128(bytes));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(c), _mm512_castsi512_si256(bytes));
    if constexpr (kNv == 3) _mm_storeu_si128(reinterpret_cast<__m128i*>(c + 32), _mm512_extracti32x4_epi32(bytes, 2));
  }

  // The inverse: n bytes as floats in packed order.
  template <int kNv>
  [[gnu::always_inline]] static void load_bytes(const std::uint8_t* p, int n, F (&out)[kNv]) {
    __m512i bytes = _mm512_maskz_loadu_epi8(bytes_mask(n), p);
    if constexpr (kNv == 1)
      bytes = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3), bytes);
    if constexpr (kNv == 2)
      bytes = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 1, 0, 1, 2, 3, 2, 3, 4, 5, 4, 5, 6, 7, 6, 7), bytes);
    if constexpr (kNv == 3)
      bytes = _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 1, 2, 2, 3, 4, 5, 5, 6, 7, 8, 8, 9, 10, 11, 11), bytes);
    const __m512i zero = _mm512_setzero_si512();
    const __m512i low = _mm512_unpacklo_epi8(bytes, zero);
    out[0] = _mm512_cvtepi32_ps(_mm512_unpacklo_epi16(low, zero));
    if constexpr (kNv > 1) out[1] = _mm512_cvtepi32_ps(_mm512_unpackhi_epi16(low, zero));
    if constexpr (kNv > 2) {
      const __m512i high = _mm512_unpackhi_epi8(bytes, zero);
      out[2] = _mm512_cvtepi32_ps(_mm512_unpacklo_epi16(high, zero));
      if constexpr (kNv > 3) out[3] = _mm512_cvtepi32_ps(_mm512_unpackhi_epi16(high, zero));
    }
  }
};

// Sums of the bytes of a row in eight parts.
[[gnu::always_inline]] inline __m512i row_parts(const IgemmU8Run& run, std::int64_t k, std::int64_t row) {
  const __m512i zero = _mm512_setzero_si512();
  __m512i parts = zero;
  for (std::int64_t t = 0; t < run.taps; ++t) {
    const std::uint8_t* a = run.a + run.a_offsets[t * run.a_tap_stride + row];
    std::int64_t i = 0;
    for (; i + 64 <= k; i += 64) parts = _mm512_add_epi64(parts, _mm512_sad_epu8(_mm512_loadu_si512(a + i), zero));
    if (i < k) {
      const __mmask64 rest = Vnni::bytes_mask(static_cast<int>(k - i));
      parts = _mm512_add_epi64(parts, _mm512_sad_epu8(_mm512_maskz_loadu_epi8(rest, a + i), zero));
    }
  }
  return parts;
}

// Sums of neighbours: pairs of 64-bit elements, then of 128-bit lanes.
inline __m512i add_pairs(__m512i a, __m512i b) {
  return _mm512_add_epi64(_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
}
inline __m512i add_lanes(__m512i a, __m512i b) {
  return _mm512_add_epi64(_mm512_shuffle_i64x2(a, b, 0x88), _mm512_shuffle_i64x2(a, b, 0xdd));
}

}  // namespace

// Eight rows at a time: their parts are added in a tree that ends with one sum an element, in order.
void igemm_u8s8_row_sums_avx512(const IgemmU8Run& run, std::int64_t k, std::int32_t* sums) {
  std::int64_t i = 0;
  for (; i + 8 <= run.m; i += 8) {
    __m512i pairs[4];
    unroll<4>([&](auto j) FOVEA_INLINE_LAMBDA {
      pairs[j] = add_pairs(row_parts(run, k, i + 2 * j), row_parts(run, k, i + 2 * j + 1));
    });
    const __m512i all = add_lanes(add_lanes(pairs[0], pairs[1]), add_lanes(pairs[2], pairs[3]));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(sums + i), _mm512_cvtepi64_epi32(all));
  }
  for (; i < run.m; ++i) sums[i] = static_cast<std::int32_t>(_mm512_reduce_add_epi64(row_parts(run, k, i)));
}

void igemm_u8s8_6x64_vnni(const IgemmU8Run& run) { run_panel<Vnni, 6, 4>(run); }
void igemm_u8s8_8x48_vnni(const IgemmU8Run& run) { run_panel<Vnni, 8, 3>(run); }
void igemm_u8s8_10x32_vnni(const IgemmU8Run& run) { run_panel<Vnni, 10, 2>(run); }
void igemm_u8s8_10x16_vnni(const IgemmU8Run& run) { run_panel<Vnni, 10, 1>(run); }

}  // namespace fovea::kernels
