// The AVX-512 (F, BW, DQ, VL) vector policy of vector_math.h. For avx512*.cpp files only.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace fovea::kernels {
namespace {

// 16 floats. Memory operands need no alignment; T is float, std::uint16_t (bfloat16 bits), std::uint8_t or std::int8_t.
struct Avx512 {
  using F = __m512;
  using I = __m512i;
  using M = __mmask16;
  static constexpr int N = 16;

  // The first n (0..16) lanes; nothing beyond them is read or written.
  struct Tail {
    __mmask16 mask;
  };
  static Tail tail(std::int64_t n) { return {static_cast<__mmask16>((1u << n) - 1u)}; }

  static F zero() { return _mm512_setzero_ps(); }
  static F set1(float x) { return _mm512_set1_ps(x); }
  static F load(const float* p) { return _mm512_loadu_ps(p); }
  static F load(const float* p, Tail t) { return _mm512_maskz_loadu_ps(t.mask, p); }
  static F load(const std::uint16_t* p) { return widen_bf16(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
  static F load(const std::uint16_t* p, Tail t) { return widen_bf16(_mm256_maskz_loadu_epi16(t.mask, p)); }
  static F load(const std::uint8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static F load(const std::uint8_t* p, Tail t) {
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(t.mask, p)));
  }
  static F load(const std::int8_t* p) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))));
  }
  static F load(const std::int8_t* p, Tail t) {
    return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(t.mask, p)));
  }
  static void store(float* p, F x) { _mm512_storeu_ps(p, x); }
  static void store(float* p, F x, Tail t) { _mm512_mask_storeu_ps(p, t.mask, x); }
  // bfloat16: round to nearest even, NaN stays a quiet NaN.
  static void store(std::uint16_t* p, F x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow_bf16(x)); }
  static void store(std::uint16_t* p, F x, Tail t) { _mm256_mask_storeu_epi16(p, t.mask, narrow_bf16(x)); }
  // 8-bit integers: x holds values inside the type's range; rounds half to even.
  static void store(std::uint8_t* p, F x) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
  }
  static void store(std::uint8_t* p, F x, Tail t) {
    _mm_mask_storeu_epi8(p, t.mask, _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)));
  }
  static void store(std::int8_t* p, F x) { store(reinterpret_cast<std::uint8_t*>(p), x); }
  static void store(std::int8_t* p, F x, Tail t) { store(reinterpret_cast<std::uint8_t*>(p), x, t); }

  static F add(F a, F b) { return _mm512_add_ps(a, b); }
  static F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F div(F a, F b) { return _mm512_div_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }    // a b + c
  static F fnma(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); }  // c - a b
  // b where either operand is NaN or both are zeros.
  static F min(F a, F b) { return _mm512_min_ps(a, b); }
  static F max(F a, F b) { return _mm512_max_ps(a, b); }
  static F abs(F x) { return _mm512_abs_ps(x); }
  static F neg(F x) { return _mm512_xor_ps(x, _mm512_set1_ps(-0.0f)); }
  static F copysign(F magnitude, F sign) {
    return from_bits(_mm512_ternarylogic_epi32(_mm512_set1_epi32(0x7fffffff), bits(magnitude), bits(sign), 0xca));
  }
  static F sqrt(F x) { return _mm512_sqrt_ps(x); }
  static F floor(F x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static F ceil(F x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
  static F round_even(F x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  // x * 2^n for an integral n in [-151, 128]
  static F scale(F x, F n) { return _mm512_scalef_ps(x, n); }

  static M lt(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
  static M eq(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
  static M is_nan(F x) { return _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q); }
  static F select(M m, F yes, F no) { return _mm512_mask_blend_ps(m, no, yes); }

  static I bits(F x) { return _mm512_castps_si512(x); }
  static F from_bits(I x) { return _mm512_castsi512_ps(x); }
  static F to_float(I x) { return _mm512_cvtepi32_ps(x); }
  static I iset1(int x) { return _mm512_set1_epi32(x); }
  static I iadd(I a, I b) { return _mm512_add_epi32(a, b); }
  static I isub(I a, I b) { return _mm512_sub_epi32(a, b); }
  static I iand(I a, I b) { return _mm512_and_si512(a, b); }
  template <int kBits>
  static I ishr(I x) {
    return _mm512_srai_epi32(x, kBits);
  }

  static F widen_bf16(__m256i x) { return from_bits(_mm512_slli_epi32(_mm512_cvtepu16_epi32(x), 16)); }
  // Not VCVTNEPS2BF16, which flushes subnormals.
  static __m256i narrow_bf16(F x) {
    const I u = bits(x), lsb = iand(_mm512_srli_epi32(u, 16), iset1(1));
    const I rounded = iadd(u, iadd(lsb, iset1(0x7fff)));
    const I result = _mm512_mask_or_epi32(rounded, is_nan(x), u, iset1(0x400000));
    return _mm512_cvtepi32_epi16(_mm512_srli_epi32(result, 16));
  }
};

}  // namespace
}  // namespace fovea::kernels

#include "kernels/vector_math.h"
