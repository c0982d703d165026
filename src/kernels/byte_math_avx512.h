// Bytes that are computed in fp32: the AVX-512 policy of the 8-bit kernels. For avx512*.cpp files only.
#pragma once

#include "kernels/vector_math_avx512.h"

namespace fovea::kernels {
namespace {

// 64 unsigned bytes in one register. Quarters of them as floats stand in an order of their own, which `narrowed`
// undoes.
struct BytesAvx512 {
  using V = Avx512;
  using F = __m512;
  using B = __m512i;
  static constexpr int N = 64;
  static constexpr int kLanes = 4;  // of 16 bytes

  using Tail = __mmask64;
  // The first n (0..63) bytes; nothing beyond them is read or written.
  static Tail tail(std::int64_t n) { return (__mmask64{1} << n) - 1; }

  static B set1(std::uint8_t x) { return _mm512_set1_epi8(static_cast<char>(x)); }
  static B load(const std::uint8_t* p) { return _mm512_loadu_si512(p); }
  static B load(const std::uint8_t* p, Tail t) { return _mm512_maskz_loadu_epi8(t, p); }
  static void store(std::uint8_t* p, B x) { _mm512_storeu_si512(p, x); }
  static void store(std::uint8_t* p, B x, Tail t) { _mm512_mask_storeu_epi8(p, t, x); }
  static B min(B a, B b) { return _mm512_min_epu8(a, b); }
  static B max(B a, B b) { return _mm512_max_epu8(a, b); }

  // What `centred` subtracts. A byte x below the exponent of 2^23 is the float 2^23 + x: the difference to
  // 2^23 + zero_point is exact.
  static F bias(int zero_point) { return _mm512_set1_ps(8388608.0f + static_cast<float>(zero_point)); }
  // x - zero_point
  static void centred(B x, F bias, F (&out)[4]) {
    const B zero = _mm512_setzero_si512(), exponent = _mm512_set1_epi16(0x4b00);
    const B low = _mm512_unpacklo_epi8(x, zero), high = _mm512_unpackhi_epi8(x, zero);
    out[0] = _mm512_sub_ps(_mm512_castsi512_ps(_mm512_unpacklo_epi16(low, exponent)), bias);
    out[1] = _mm512_sub_ps(_mm512_castsi512_ps(_mm512_unpackhi_epi16(low, exponent)), bias);
    out[2] = _mm512_sub_ps(_mm512_castsi512_ps(_mm512_unpacklo_epi16(high, exponent)), bias);
    out[3] = _mm512_sub_ps(_mm512_castsi512_ps(_mm512_unpackhi_epi16(high, exponent)), bias);
  }
  // A zero point as `narrowed` takes it.
  static B words(int zero_point) { return _mm512_set1_epi16(static_cast<short>(zero_point)); }
  // saturate(round half to even(r) + zero_point) for r below 2^31; less than -2^31, and NaN, gives 0.
  static B narrowed(const F (&r)[4], B zero_point) {
    const B low = _mm512_packs_epi32(_mm512_cvtps_epi32(r[0]), _mm512_cvtps_epi32(r[1]));
    const B high = _mm512_packs_epi32(_mm512_cvtps_epi32(r[2]), _mm512_cvtps_epi32(r[3]));
    return _mm512_packus_epi16(_mm512_adds_epi16(low, zero_point), _mm512_adds_epi16(high, zero_point));
  }
  // Puts what `narrowed` gave for four neighbouring vectors of floats into their order.
  static B in_order(B x) {
    return _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), x);
  }

  // Within each lane of 16 bytes: out[i] = x[order[i]], 0 where order[i] has its top bit set.
  static B repeat(const std::uint8_t* order) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128(reinterpret_cast<const __m128i*>(order)));
  }
  static B shuffled(B x, B order) { return _mm512_shuffle_epi8(x, order); }
  static B unpack_low_32(B a, B b) { return _mm512_unpacklo_epi32(a, b); }
  static B unpack_high_32(B a, B b) { return _mm512_unpackhi_epi32(a, b); }
  template <int kLane>
  static void store_lane(std::uint8_t* p, B x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_extracti32x4_epi32(x, kLane));
  }
};

}  // namespace
}  // namespace fovea::kernels
