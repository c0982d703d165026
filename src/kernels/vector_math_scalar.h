// The one-lane policy of vector_math.h: the scalar twins. For scalar.cpp files only.
#pragma once

#include <cmath>
#include <cstdint>

namespace fovea::kernels {
namespace {

struct Scalar {
  using F = float;
  using I = std::int32_t;
  using M = bool;
  static constexpr int N = 1;

  // n is 0 or 1; loops over full vectors leave no rest, so the memory operations below ignore it.
  struct Tail {};
  static Tail tail(std::int64_t) { return {}; }

  static F zero() { return 0.0f; }
  static F set1(float x) { return x; }
  static F load(const float* p) { return *p; }
  static F load(const std::uint16_t* p) { return from_bits(static_cast<I>(static_cast<std::uint32_t>(*p) << 16)); }
  static F load(const std::uint8_t* p) { return *p; }
  static F load(const std::int8_t* p) { return *p; }
  template <class T>
  static F load(const T* p, Tail) {
    return load(p);
  }
  static void store(float* p, F x) { *p = x; }
  // bfloat16: round to nearest even, NaN stays a quiet NaN.
  static void store(std::uint16_t* p, F x) {
    const std::uint32_t u = __builtin_bit_cast(std::uint32_t, x);
    const std::uint32_t rounded = x != x ? u | 0x400000u : u + 0x7fffu + ((u >> 16) & 1u);
    *p = static_cast<std::uint16_t>(rounded >> 16);
  }
  // 8-bit integers: x holds a value inside the type's range; rounds half to even.
  static void store(std::uint8_t* p, F x) { *p = static_cast<std::uint8_t>(round_even(x)); }
  static void store(std::int8_t* p, F x) { *p = static_cast<std::int8_t>(round_even(x)); }
  template <class T>
  static void store(T* p, F x, Tail) {
    store(p, x);
  }

  static F add(F a, F b) { return a + b; }
  static F sub(F a, F b) { return a - b; }
  static F mul(F a, F b) { return a * b; }
  static F div(F a, F b) { return a / b; }
  // Through double, where the product is exact: a fused multiply-add but for a rare second rounding.
  static F fma(F a, F b, F c) { return static_cast<float>(static_cast<double>(a) * b + c); }
  static F fnma(F a, F b, F c) { return static_cast<float>(c - static_cast<double>(a) * b); }
  // b where either operand is NaN or both are zeros, as MINPS and MAXPS have it.
  static F min(F a, F b) { return a < b ? a : b; }
  static F max(F a, F b) { return a > b ? a : b; }
  static F abs(F x) { return __builtin_fabsf(x); }
  static F neg(F x) { return -x; }
  static F copysign(F magnitude, F sign) { return __builtin_copysignf(magnitude, sign); }
  static F sqrt(F x) { return std::sqrt(x); }
  static F floor(F x) { return std::floor(x); }
  static F ceil(F x) { return std::ceil(x); }
  static F round_even(F x) { return std::nearbyint(x); }
  // x * 2^n for an integral n in [-151, 128]; a NaN n comes with a NaN x.
  static F scale(F x, F n) {
    const I i = n == n ? static_cast<I>(n) : 0, half = i >> 1;
    return x * from_bits((half + 127) << 23) * from_bits((i - half + 127) << 23);
  }

  static M lt(F a, F b) { return a < b; }
  static M eq(F a, F b) { return a == b; }
  static M is_nan(F x) { return x != x; }
  static F select(M m, F yes, F no) { return m ? yes : no; }

  static I bits(F x) { return __builtin_bit_cast(I, x); }
  static F from_bits(I x) { return __builtin_bit_cast(float, x); }
  static F to_float(I x) { return static_cast<float>(x); }
  static I iset1(int x) { return x; }
  static I iadd(I a, I b) { return wrap(static_cast<std::int64_t>(a) + b); }
  static I isub(I a, I b) { return wrap(static_cast<std::int64_t>(a) - b); }
  static I iand(I a, I b) { return a & b; }
  template <int kBits>
  static I ishr(I x) {
    return x >> kBits;
  }
  static I wrap(std::int64_t x) { return static_cast<I>(static_cast<std::uint32_t>(x)); }
};

}  // namespace
}  // namespace fovea::kernels

#include "kernels/vector_math.h"
