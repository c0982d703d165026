// Bytes that are computed in fp32: the AVX2 policy of the 8-bit kernels. For avx2.cpp files only.
#pragma once

#include "kernels/vector_math_avx2.h"

namespace fovea::kernels {
namespace {

// 32 unsigned bytes in one register; see byte_math_avx512.h, which has the same members.
struct BytesAvx2 {
  using V = Avx2;
  using F = __m256;
  using B = __m256i;
  static constexpr int N = 32;
  static constexpr int kLanes = 2;

  struct Tail {
    int n;
  };
  static Tail tail(std::int64_t n) { return {static_cast<int>(n)}; }

  static B set1(std::uint8_t x) { return _mm256_set1_epi8(static_cast<char>(x)); }
  static B load(const std::uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static B load(const std::uint8_t* p, Tail t) {
    std::uint8_t full[N] = {};
    __builtin_memcpy(full, p, static_cast<std::size_t>(t.n));
    return load(full);
  }
  static void store(std::uint8_t* p, B x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
  static void store(std::uint8_t* p, B x, Tail t) {
    std::uint8_t full[N];
    store(full, x);
    __builtin_memcpy(p, full, static_cast<std::size_t>(t.n));
  }
  static B min(B a, B b) { return _mm256_min_epu8(a, b); }
  static B max(B a, B b) { return _mm256_max_epu8(a, b); }

  static F bias(int zero_point) { return _mm256_set1_ps(8388608.0f + static_cast<float>(zero_point)); }
  static void centred(B x, F bias, F (&out)[4]) {
    const B zero = _mm256_setzero_si256(), exponent = _mm256_set1_epi16(0x4b00);
    const B low = _mm256_unpacklo_epi8(x, zero), high = _mm256_unpackhi_epi8(x, zero);
    out[0] = _mm256_sub_ps(_mm256_castsi256_ps(_mm256_unpacklo_epi16(low, exponent)), bias);
    out[1] = _mm256_sub_ps(_mm256_castsi256_ps(_mm256_unpackhi_epi16(low, exponent)), bias);
    out[2] = _mm256_sub_ps(_mm256_castsi256_ps(_mm256_unpacklo_epi16(high, exponent)), bias);
    out[3] = _mm256_sub_ps(_mm256_castsi256_ps(_mm256_unpackhi_epi16(high, exponent)), bias);
  }
  static B words(int zero_point) { return _mm256_set1_epi16(static_cast<short>(zero_point)); }
  static B narrowed(const F (&r)[4], B zero_point) {
    const B low = _mm256_packs_epi32(_mm256_cvtps_epi32(r[0]), _mm256_cvtps_epi32(r[1]));
    const B high = _mm256_packs_epi32(_mm256_cvtps_epi32(r[2]), _mm256_cvtps_epi32(r[3]));
    return _mm256_packus_epi16(_mm256_adds_epi16(low, zero_point), _mm256_adds_epi16(high, zero_point));
  }
  static B in_order(B x) { return _mm256_permutevar8x32_epi32(x, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)); }

  static B repeat(const std::uint8_t* order) {
    return _mm256_broadcastsi128_si256(_mm_loadu_si128(reinterpret_cast<const __m128i*>(order)));
  }
  static B shuffled(B x, B order) { return _mm256_shuffle_epi8(x, order); }
  static B unpack_low_32(B a, B b) { return _mm256_unpacklo_epi32(a, b); }
  static B unpack_high_32(B a, B b) { return _mm256_unpackhi_epi32(a, b); }
  template <int kLane>
  static void store_lane(std::uint8_t* p, B x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_extracti128_si256(x, kLane));
  }
};

}  // namespace
}  // namespace fovea::kernels
