// The element-wise kernels, once for every vector policy. Included by the ISA files only.
#pragma once

#include "kernels/broadcast_loop.h"
#include "kernels/eltwise/eltwise.h"

namespace fovea::kernels {
namespace {

// A call a vector, for the activations that cost far more than that; keeps them out of every loop's code.
template <class V>
[[gnu::noinline]] typename V::F activation(const Epilogue& epilogue, typename V::F x) {
  return apply_epilogue<V>(epilogue, x);
}

// What follows the arithmetic: a clip in registers (also for kNone), the rest by call.
template <class V>
struct Finish {
  Epilogue epilogue;
  typename V::F lo, hi;
  bool called;

  explicit Finish(const Epilogue& e) : epilogue(e) {
    const bool clips = e.kind == EpilogueKind::kClip;
    lo = V::set1(clips ? e.a : -__builtin_inff());
    hi = V::set1(clips ? e.b : __builtin_inff());
    called = !clips && e.kind != EpilogueKind::kNone;
  }
  typename V::F operator()(typename V::F x) const {
    if (called) return activation<V>(epilogue, x);
    return clip<V>(x, lo, hi);
  }
};

template <class V, class T>
void binary(const BinaryArgs& args, std::int64_t begin, std::int64_t end) {
  using F = typename V::F;
  const Finish<V> finish(args.epilogue);
  const auto run = [&](auto op) {
    broadcast_loop<V, T, T, T, 1>(static_cast<const T*>(args.a), static_cast<T*>(args.y),
                                  {{static_cast<const T*>(args.b)}}, args.broadcast, begin, end,
                                  [&](F a, const F* b) FOVEA_INLINE_LAMBDA { return finish(op(a, *b)); });
  };
  switch (args.op) {
    case BinaryOp::kAdd:
      return run([](F a, F b) { return V::add(a, b); });
    case BinaryOp::kSub:
      return run([](F a, F b) { return V::sub(a, b); });
    case BinaryOp::kMul:
      return run([](F a, F b) { return V::mul(a, b); });
    case BinaryOp::kDiv:
      return run([](F a, F b) { return V::div(a, b); });
    // min and max give their second operand, b, if either is NaN.
    case BinaryOp::kMin:
      return run([](F a, F b) { return V::select(V::is_nan(a), a, V::min(a, b)); });
    case BinaryOp::kMax:
      return run([](F a, F b) { return V::select(V::is_nan(a), a, V::max(a, b)); });
    case BinaryOp::kReverseSub:
      return run([](F a, F b) { return V::sub(b, a); });
    case BinaryOp::kReverseDiv:
      return run([](F a, F b) { return V::div(b, a); });
    case BinaryOp::kPrelu:
      return run([](F a, F b) { return leaky_relu<V>(a, b); });
  }
}

template <class V, class T, class Function>
void map(const UnaryArgs& args, std::int64_t begin, std::int64_t end, Function function) {
  const T* x = static_cast<const T*>(args.x) + begin;
  T* y = static_cast<T*>(args.y) + begin;
  vector_loop<V>(end - begin, [&](std::int64_t i, auto lanes)
                                  FOVEA_INLINE_LAMBDA { store<V>(y + i, function(load<V>(x + i, lanes)), lanes); });
}

template <class V, class T>
void activate(const UnaryArgs& args, std::int64_t begin, std::int64_t end) {
  using F = typename V::F;
  const F a = V::set1(args.epilogue.a), b = V::set1(args.epilogue.b);
  const auto run = [&](auto function) { map<V, T>(args, begin, end, function); };
  switch (args.epilogue.kind) {
    case EpilogueKind::kNone:
      return run([](F x) { return x; });
    case EpilogueKind::kClip:
      return run([&](F x) { return clip<V>(x, a, b); });
    case EpilogueKind::kLeakyRelu:
      return run([&](F x) { return leaky_relu<V>(x, a); });
    case EpilogueKind::kSigmoid:
      return run([](F x) { return sigmoid<V>(x); });
    case EpilogueKind::kHardSigmoid:
      return run([&](F x) { return hard_sigmoid<V>(x, a, b); });
    case EpilogueKind::kHardSwish:
      return run([](F x) { return hard_swish<V>(x); });
    case EpilogueKind::kSilu:
      return run([](F x) { return silu<V>(x); });
    case EpilogueKind::kTanh:
      return run([](F x) { return tanh<V>(x); });
  }
}

template <class V, class T>
void unary(const UnaryArgs& args, std::int64_t begin, std::int64_t end) {
  using F = typename V::F;
  const F alpha = V::set1(args.epilogue.a), one = V::set1(1.0f);
  const auto run = [&](auto function) { map<V, T>(args, begin, end, function); };
  switch (args.op) {
    case UnaryOp::kActivation:
      return activate<V, T>(args, begin, end);
    case UnaryOp::kExp:
      return run([](F x) { return exp<V>(x); });
    case UnaryOp::kLog:
      return run([](F x) { return log<V>(x); });
    case UnaryOp::kSqrt:
      return run([](F x) { return V::sqrt(x); });
    case UnaryOp::kReciprocal:
      return run([&](F x) { return V::div(one, x); });
    case UnaryOp::kAbs:
      return run([](F x) { return V::abs(x); });
    case UnaryOp::kNeg:
      return run([](F x) { return V::neg(x); });
    case UnaryOp::kFloor:
      return run([](F x) { return V::floor(x); });
    case UnaryOp::kCeil:
      return run([](F x) { return V::ceil(x); });
    case UnaryOp::kRound:
      return run([](F x) { return V::round_even(x); });
    case UnaryOp::kErf:
      return run([](F x) { return erf<V>(x); });
    case UnaryOp::kGelu:
      return run([](F x) { return gelu<V>(x); });
    case UnaryOp::kElu:
      return run([&](F x) { return elu<V>(x, alpha); });
    case UnaryOp::kSoftplus:
      return run([](F x) { return softplus<V>(x); });
  }
}

template <class V, class T>
void scale_shift(const ScaleShiftArgs& args, std::int64_t begin, std::int64_t end) {
  using F = typename V::F;
  const Finish<V> finish(args.epilogue);
  broadcast_loop<V, T, T, float, 2>(static_cast<const T*>(args.x), static_cast<T*>(args.y), {{args.scale, args.shift}},
                                    args.broadcast, begin, end,
                                    [&](F x, const F* b) FOVEA_INLINE_LAMBDA { return finish(V::fma(x, b[0], b[1])); });
}

}  // namespace
}  // namespace fovea::kernels

// The functions of one row of kernels.inc.
#define FOVEA_ELTWISE_KERNELS(V, suffix)                                                                             \
  namespace fovea::kernels {                                                                                         \
  void binary_f32_##suffix(const BinaryArgs& a, std::int64_t b, std::int64_t e) { binary<V, float>(a, b, e); }       \
  void binary_bf16_##suffix(const BinaryArgs& a, std::int64_t b, std::int64_t e) {                                   \
    binary<V, std::uint16_t>(a, b, e);                                                                               \
  }                                                                                                                  \
  void unary_f32_##suffix(const UnaryArgs& a, std::int64_t b, std::int64_t e) { unary<V, float>(a, b, e); }          \
  void unary_bf16_##suffix(const UnaryArgs& a, std::int64_t b, std::int64_t e) { unary<V, std::uint16_t>(a, b, e); } \
  void scale_shift_f32_##suffix(const ScaleShiftArgs& a, std::int64_t b, std::int64_t e) {                           \
    scale_shift<V, float>(a, b, e);                                                                                  \
  }                                                                                                                  \
  void scale_shift_bf16_##suffix(const ScaleShiftArgs& a, std::int64_t b, std::int64_t e) {                          \
    scale_shift<V, std::uint16_t>(a, b, e);                                                                          \
  }                                                                                                                  \
  }
