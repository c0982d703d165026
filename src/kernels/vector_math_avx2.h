// The AVX2 (with FMA) vector policy of vector_math.h. For avx2.cpp and avxvnni.cpp files only.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace fovea::kernels {
namespace {

// 8 floats. Memory operands need no alignment; T is float, std::uint16_t (bfloat16 bits), std::uint8_t or std::int8_t.
struct Avx2 {
  using F = __m256;
  using I = __m256i;
  using M = __m256;
  static constexpr int N = 8;

  // The first n (0..8) lanes; nothing beyond them is read or written.
  struct Tail {
    __m256i mask;
    int n;
  };
  static Tail tail(std::int64_t n) {
    const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return {_mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), lanes), static_cast<int>(n)};
  }

  static F zero() { return _mm256_setzero_ps(); }
  static F set1(float x) { return _mm256_set1_ps(x); }
  static F load(const float* p) { return _mm256_loadu_ps(p); }
  static F load(const float* p, Tail t) { return _mm256_maskload_ps(p, t.mask); }
  static F load(const std::uint16_t* p) { return widen_bf16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
  static F load(const std::uint8_t* p) {
    return to_float(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
  static F load(const std::int8_t* p) {
    return to_float(_mm256_cvtepi8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(p))));
  }
  // Types without masked moves go through a buffer of the full width.
  template <class T>
  static F load(const T* p, Tail t) {
    T full[N] = {};
    for (int i = 0; i < t.n; ++i) full[i] = p[i];
    return load(full);
  }
  static void store(float* p, F x) { _mm256_storeu_ps(p, x); }
  static void store(float* p, F x, Tail t) { _mm256_maskstore_ps(p, t.mask, x); }
  // bfloat16: round to nearest even, NaN stays a quiet NaN.
  static void store(std::uint16_t* p, F x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), narrow_bf16(x)); }
  // 8-bit integers: x holds values inside the type's range; rounds half to even.
  static void store(std::uint8_t* p, F x) {
    const __m256i i = _mm256_cvtps_epi32(x);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packus_epi16(words, words));
  }
  static void store(std::int8_t* p, F x) {
    const __m256i i = _mm256_cvtps_epi32(x);
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(i), _mm256_extracti128_si256(i, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(p), _mm_packs_epi16(words, words));
  }
  template <class T>
  static void store(T* p, F x, Tail t) {
    T full[N];
    store(full, x);
    for (int i = 0; i < t.n; ++i) p[i] = full[i];
  }

  static F add(F a, F b) { return _mm256_add_ps(a, b); }
  static F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static F div(F a, F b) { return _mm256_div_ps(a, b); }
  static F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }    // a b + c
  static F fnma(F a, F b, F c) { return _mm256_fnmadd_ps(a, b, c); }  // c - a b
  // b where either operand is NaN or both are zeros.
  static F min(F a, F b) { return _mm256_min_ps(a, b); }
  static F max(F a, F b) { return _mm256_max_ps(a, b); }
  static F abs(F x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
  static F neg(F x) { return _mm256_xor_ps(x, _mm256_set1_ps(-0.0f)); }
  static F copysign(F magnitude, F sign) {
    const F mask = _mm256_set1_ps(-0.0f);
    return _mm256_or_ps(_mm256_andnot_ps(mask, magnitude), _mm256_and_ps(mask, sign));
  }
  static F sqrt(F x) { return _mm256_sqrt_ps(x); }
  static F floor(F x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }
  static F ceil(F x) { return _mm256_round_ps(x, _MM_FROUND_TO_POS_INF | _MM_FROUND_NO_EXC); }
  static F round_even(F x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
  // x * 2^n for an integral n in [-151, 128]: in two factors, as neither 2^-151 nor 2^128 is a normal number.
  static F scale(F x, F n) {
    const I i = _mm256_cvtps_epi32(n), half = ishr<1>(i);
    const F first = from_bits(_mm256_slli_epi32(iadd(half, iset1(127)), 23));
    const F second = from_bits(_mm256_slli_epi32(iadd(isub(i, half), iset1(127)), 23));
    return mul(mul(x, first), second);
  }

  static M lt(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
  static M eq(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
  static M is_nan(F x) { return _mm256_cmp_ps(x, x, _CMP_UNORD_Q); }
  static F select(M m, F yes, F no) { return _mm256_blendv_ps(no, yes, m); }

  static I bits(F x) { return _mm256_castps_si256(x); }
  static F from_bits(I x) { return _mm256_castsi256_ps(x); }
  static F to_float(I x) { return _mm256_cvtepi32_ps(x); }
  static I iset1(int x) { return _mm256_set1_epi32(x); }
  static I iadd(I a, I b) { return _mm256_add_epi32(a, b); }
  static I isub(I a, I b) { return _mm256_sub_epi32(a, b); }
  static I iand(I a, I b) { return _mm256_and_si256(a, b); }
  template <int kBits>
  static I ishr(I x) {
    return _mm256_srai_epi32(x, kBits);
  }

  static F widen_bf16(__m128i x) { return from_bits(_mm256_slli_epi32(_mm256_cvtepu16_epi32(x), 16)); }
  static __m128i narrow_bf16(F x) {
    const I u = bits(x), lsb = iand(_mm256_srli_epi32(u, 16), iset1(1));
    const F rounded = from_bits(iadd(u, iadd(lsb, iset1(0x7fff))));
    const F quiet = from_bits(_mm256_or_si256(u, iset1(0x400000)));
    const I words = _mm256_srli_epi32(bits(select(is_nan(x), quiet, rounded)), 16);
    return _mm_packus_epi32(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  }
};

}  // namespace
}  // namespace fovea::kernels

#include "kernels/vector_math.h"
