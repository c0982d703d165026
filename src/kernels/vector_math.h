// Vector mathematics shared by all kernels: exp, log, sigmoid, tanh, erf and the epilogue's activations, once for all
// ISAs.
//
// Every function is a template over a vector policy V: `Avx512` (vector_math_avx512.h), `Avx2` (vector_math_avx2.h) or
// `Scalar` (vector_math_scalar.h). Include the policy's header, which includes this one, in a file of that ISA only:
//   __m512 y = sigmoid<Avx512>(x);      __m256 z = apply_epilogue<Avx2>(epilogue, x);
// The policies live in unnamed namespaces, so every instance is local to its file and none wins at link time elsewhere.
// Avx512 and Avx2 do the same operations in the same order and give the same bits (NaN payloads apart); Scalar, which
// has no fused multiply-add, may differ in the last bit or two.
//
// Errors against double over all inputs (checked by eltwise_test.cpp), in units of the last place of the result: exp 1,
// log 1, sigmoid 2.5 (0 below -88, where the true value is under 1e-38), tanh 1.5, erf 1, silu 2.5 for |x| <= 87. gelu,
// elu and softplus: 2e-7 * max(1, |y|). A NaN operand gives NaN from every function here, activations included.
#pragma once

#include "kernels/epilogue.h"

namespace fovea::kernels {

// e^x. +inf above 88.72, 0 below -103.97, subnormal results rounded once.
// Cody-Waite reduction to |f| <= ln(2)/2, minimax polynomial of degree 6.
template <class V>
inline typename V::F exp(typename V::F x) {
  using F = typename V::F;
  // min and max return their second operand when either is NaN: x stays NaN.
  x = V::max(V::set1(-104.0f), V::min(V::set1(89.0f), x));
  const F magic = V::set1(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const F n = V::sub(V::fma(x, V::set1(1.44269504f), magic), magic);
  F f = V::fnma(n, V::set1(6.93145752e-1f), x);
  f = V::fnma(n, V::set1(1.42860677e-6f), f);
  F r = V::set1(1.37805939e-3f);
  r = V::fma(r, f, V::set1(8.37312452e-3f));
  r = V::fma(r, f, V::set1(4.16695364e-2f));
  r = V::fma(r, f, V::set1(1.66664720e-1f));
  r = V::fma(r, f, V::set1(4.99999851e-1f));
  r = V::fma(r, f, V::set1(1.0f));
  r = V::fma(r, f, V::set1(1.0f));
  return V::scale(r, n);
}

// Natural logarithm; -inf at 0, NaN below, subnormals handled. Polynomial of Cephes logf.
template <class V>
inline typename V::F log(typename V::F x) {
  using F = typename V::F;
  using I = typename V::I;
  const auto tiny = V::lt(x, V::set1(1.17549435e-38f));
  const F scaled = V::select(tiny, V::mul(x, V::set1(8388608.0f)), x);
  // m in [sqrt(1/2), sqrt(2)), scaled = m * 2^e: 0x3f3504f3 is the pattern of sqrt(1/2).
  const I shifted = V::isub(V::bits(scaled), V::iset1(0x3f3504f3));
  F e = V::to_float(V::template ishr<23>(shifted));
  e = V::select(tiny, V::sub(e, V::set1(23.0f)), e);
  const F m =
      V::sub(V::from_bits(V::iadd(V::iand(shifted, V::iset1(0x007fffff)), V::iset1(0x3f3504f3))), V::set1(1.0f));
  const F z = V::mul(m, m);
  F p = V::set1(7.0376836292e-2f);
  p = V::fma(p, m, V::set1(-1.1514610310e-1f));
  p = V::fma(p, m, V::set1(1.1676998740e-1f));
  p = V::fma(p, m, V::set1(-1.2420140846e-1f));
  p = V::fma(p, m, V::set1(1.4249322787e-1f));
  p = V::fma(p, m, V::set1(-1.6668057665e-1f));
  p = V::fma(p, m, V::set1(2.0000714765e-1f));
  p = V::fma(p, m, V::set1(-2.4999993993e-1f));
  p = V::fma(p, m, V::set1(3.3333331174e-1f));
  F y = V::mul(V::mul(p, m), z);
  y = V::fma(e, V::set1(-2.12194440e-4f), y);
  y = V::fma(z, V::set1(-0.5f), y);
  y = V::fma(e, V::set1(0.693359375f), V::add(m, y));
  const F inf = V::set1(__builtin_inff());
  y = V::select(V::lt(x, inf), y, x);  // +inf, NaN
  y = V::select(V::lt(x, V::set1(0.0f)), V::set1(__builtin_nanf("")), y);
  return V::select(V::eq(x, V::set1(0.0f)), V::set1(-__builtin_inff()), y);
}

template <class V>
inline typename V::F sigmoid(typename V::F x) {
  const auto one = V::set1(1.0f);
  return V::div(one, V::add(one, exp<V>(V::neg(x))));
}

// x * sigmoid(x)
template <class V>
inline typename V::F silu(typename V::F x) {
  return V::div(x, V::add(V::set1(1.0f), exp<V>(V::neg(x))));
}

// Odd polynomial (Cephes tanhf) up to 0.625, 1 - 2 / (e^2x + 1) beyond.
template <class V>
inline typename V::F tanh(typename V::F x) {
  using F = typename V::F;
  const F magnitude = V::abs(x), z = V::mul(x, x), one = V::set1(1.0f);
  F p = V::set1(-5.70498872745e-3f);
  p = V::fma(p, z, V::set1(2.06390887954e-2f));
  p = V::fma(p, z, V::set1(-5.37397155531e-2f));
  p = V::fma(p, z, V::set1(1.33314422036e-1f));
  p = V::fma(p, z, V::set1(-3.33332819422e-1f));
  const F small = V::fma(V::mul(p, z), x, x);
  const F e = exp<V>(V::add(magnitude, magnitude));
  const F large = V::sub(one, V::div(V::set1(2.0f), V::add(e, one)));
  return V::select(V::lt(magnitude, V::set1(0.625f)), small, V::copysign(large, x));
}

// Minimax polynomials: x * P(x^2) near 0, 1 - e^Q(|x|) beyond 475/512.
template <class V>
inline typename V::F erf(typename V::F x) {
  using F = typename V::F;
  const F t = V::abs(x), s = V::mul(x, x);
  F p = V::set1(-5.96761703e-4f);
  p = V::fma(p, s, V::set1(4.99119423e-3f));
  p = V::fma(p, s, V::set1(-2.67681349e-2f));
  p = V::fma(p, s, V::set1(1.12819925e-1f));
  p = V::fma(p, s, V::set1(-3.76125336e-1f));
  p = V::fma(p, s, V::set1(1.28379166e-1f));
  const F small = V::fma(p, x, x);
  // Beyond 4 the result is 1 to the last bit; the limit keeps t^6 finite.
  const F u = V::min(V::set1(4.0f), t), v = V::mul(u, u);
  F r = V::fma(V::set1(-1.72853470e-5f), u, V::set1(3.83197126e-4f));
  r = V::fma(r, v, V::fma(V::set1(-3.88396438e-3f), u, V::set1(2.42546219e-2f)));
  r = V::fma(r, u, V::set1(-1.06777877e-1f));
  r = V::fma(r, u, V::set1(-6.34846687e-1f));
  r = V::fma(r, u, V::set1(-1.28717512e-1f));
  r = V::fma(r, u, V::neg(u));
  const F large = V::sub(V::set1(1.0f), exp<V>(r));
  return V::select(V::lt(t, V::set1(0.927734375f)), small, V::copysign(large, x));
}

// x/2 * (1 + erf(x / sqrt(2)))
template <class V>
inline typename V::F gelu(typename V::F x) {
  const auto half = V::mul(x, V::set1(0.5f));
  return V::fma(half, erf<V>(V::mul(x, V::set1(0.707106781f))), half);
}

// x where x >= 0 or NaN, else alpha * (e^x - 1)
template <class V>
inline typename V::F elu(typename V::F x, typename V::F alpha) {
  return V::select(V::lt(x, V::set1(0.0f)), V::mul(alpha, V::sub(exp<V>(x), V::set1(1.0f))), x);
}

// log(1 + e^x)
template <class V>
inline typename V::F softplus(typename V::F x) {
  const auto tail = log<V>(V::add(V::set1(1.0f), exp<V>(V::neg(V::abs(x)))));
  return V::add(V::max(V::set1(0.0f), x), tail);
}

// max(lo, min(hi, x)); a NaN x stays NaN, as in ONNX's Clip and Relu; clip(-0) with lo = 0 is -0.
template <class V>
inline typename V::F clip(typename V::F x, typename V::F lo, typename V::F hi) {
  return V::max(lo, V::min(hi, x));
}

// max(0, min(1, a x + b))
template <class V>
inline typename V::F hard_sigmoid(typename V::F x, typename V::F a, typename V::F b) {
  return clip<V>(V::fma(a, x, b), V::set1(0.0f), V::set1(1.0f));
}

// x * max(0, min(1, x/6 + 1/2))
template <class V>
inline typename V::F hard_swish(typename V::F x) {
  return V::mul(x, hard_sigmoid<V>(x, V::set1(1.0f / 6.0f), V::set1(0.5f)));
}

// x where x >= 0 or NaN, else slope * x
template <class V>
inline typename V::F leaky_relu(typename V::F x, typename V::F slope) {
  return V::select(V::lt(x, V::set1(0.0f)), V::mul(x, slope), x);
}

// The activation of an epilogue. The switch costs a predicted branch a vector; where that matters, switch outside the
// loop and call the function of the kind.
template <class V>
inline typename V::F apply_epilogue(const Epilogue& e, typename V::F x) {
  switch (e.kind) {
    case EpilogueKind::kNone:
      return x;
    case EpilogueKind::kClip:
      return clip<V>(x, V::set1(e.a), V::set1(e.b));
    case EpilogueKind::kLeakyRelu:
      return leaky_relu<V>(x, V::set1(e.a));
    case EpilogueKind::kSigmoid:
      return sigmoid<V>(x);
    case EpilogueKind::kHardSigmoid:
      return hard_sigmoid<V>(x, V::set1(e.a), V::set1(e.b));
    case EpilogueKind::kHardSwish:
      return hard_swish<V>(x);
    case EpilogueKind::kSilu:
      return silu<V>(x);
    case EpilogueKind::kTanh:
      return tanh<V>(x);
  }
  return x;
}

}  // namespace fovea::kernels
