// What the 256-bit policies of tile.h share: all but the dot product. For files of AVX2 and better only.
#pragma once

#include <cstring>

#include "kernels/igemm_u8s8/igemm_u8s8.h"
#include "kernels/vector_math_avx2.h"

namespace fovea::kernels {
namespace {

struct Bytes256 : Avx2 {
  static I iload(const std::int32_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static I ibroadcast(std::int32_t x) { return _mm256_set1_epi32(x); }
  static I mullo(I a, I b) { return _mm256_mullo_epi32(a, b); }

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

  // Rounds and packs kNv vectors of packed order.
  template <int kNv, bool kPlain>
  [[gnu::always_inline]] static __m128i row_bytes(const F (&v)[kNv], const Bounds& bounds) {
    const __m256i words =
        _mm256_adds_epi16(_mm256_packs_epi32(to_int<kPlain>(v[0]), to_int<kPlain>(v[kNv - 1])), bounds.zero_point);
    const __m256i lanes = _mm256_packus_epi16(words, words);
    // Of the four dwords of each lane the first kNv are wanted.
    const __m256i order =
        kNv == 1 ? _mm256_setr_epi32(0, 4, 0, 0, 0, 0, 0, 0) : _mm256_setr_epi32(0, 1, 4, 5, 0, 0, 0, 0);
    const __m128i bytes = _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(lanes, order));
    return _mm_min_epu8(_mm_max_epu8(bytes, bounds.low), bounds.high);
  }
  template <int kNv>
  static constexpr int kRowsTogether = 1;
  // The first n columns.
  template <int kNv>
  [[gnu::always_inline]] static void store_some(std::uint8_t* c, int n, const F (&v)[kNv], const Bounds& bounds) {
    alignas(16) std::uint8_t all[16];
    _mm_store_si128(reinterpret_cast<__m128i*>(all), row_bytes<kNv, false>(v, bounds));
    std::memcpy(c, all, static_cast<std::size_t>(n));
  }
  // All columns.
  template <int kNv, bool kPlain>
  [[gnu::always_inline]] static void store_row(std::uint8_t* c, const F (&v)[kNv], const Bounds& bounds) {
    const __m128i bytes = row_bytes<kNv, kPlain>(v, bounds);
    if constexpr (kNv == 1) return _mm_storel_epi64(reinterpret_cast<__m128i*>(c), bytes);
    _mm_storeu_si128(reinterpret_cast<__m128i*>(c), bytes);
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
}  // namespace fovea::kernels
