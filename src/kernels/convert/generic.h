// The conversion kernels, once for every vector policy. Included by the ISA files only.
#pragma once

#include "kernels/broadcast_loop.h"
#include "kernels/convert/convert.h"

namespace fovea::kernels {
namespace {

template <class V, class Y>
void normalize(const NormalizeArgs& args, std::int64_t begin, std::int64_t end) {
  using F = typename V::F;
  broadcast_loop<V, std::uint8_t, Y, float, 2>(
      args.x, static_cast<Y*>(args.y), {{args.mean, args.scale}}, args.broadcast, begin, end,
      [](F x, const F* b) FOVEA_INLINE_LAMBDA { return V::mul(V::sub(x, b[0]), b[1]); });
}

template <class V, class Y>
void quantize(const QuantizeArgs& args, std::int64_t begin, std::int64_t end) {
  using F = typename V::F;
  const F lowest = V::set1(Y(-1) < 0 ? -128.0f : 0.0f), highest = V::set1(Y(-1) < 0 ? 127.0f : 255.0f);
  broadcast_loop<V, float, Y, float, 2>(args.x, static_cast<Y*>(args.y), {{args.scale, args.zero_point}},
                                        args.broadcast, begin, end, [&](F x, const F* b) FOVEA_INLINE_LAMBDA {
                                          // Limits before rounding, where they are whole numbers and do no harm; a NaN
                                          // quotient takes the lower one.
                                          const F q = V::max(V::div(x, b[0]), V::sub(lowest, b[1]));
                                          return V::add(V::round_even(V::min(q, V::sub(highest, b[1]))), b[1]);
                                        });
}

template <class V, class X>
void dequantize(const DequantizeArgs& args, std::int64_t begin, std::int64_t end) {
  using F = typename V::F;
  broadcast_loop<V, X, float, float, 2>(
      static_cast<const X*>(args.x), args.y, {{args.scale, args.zero_point}}, args.broadcast, begin, end,
      [](F x, const F* b) FOVEA_INLINE_LAMBDA { return V::mul(V::sub(x, b[1]), b[0]); });
}

template <class V, class X, class Y>
void convert(const X* x, Y* y, std::int64_t begin, std::int64_t end) {
  vector_loop<V>(end - begin, [x = x + begin, y = y + begin](std::int64_t i, auto lanes)
                                  FOVEA_INLINE_LAMBDA { store<V>(y + i, load<V>(x + i, lanes), lanes); });
}

}  // namespace
}  // namespace fovea::kernels

// The functions of one row of kernels.inc.
#define FOVEA_CONVERT_KERNELS(V, suffix)                                                        \
  namespace fovea::kernels {                                                                    \
  void normalize_f32_##suffix(const NormalizeArgs& a, std::int64_t b, std::int64_t e) {         \
    normalize<V, float>(a, b, e);                                                               \
  }                                                                                             \
  void normalize_bf16_##suffix(const NormalizeArgs& a, std::int64_t b, std::int64_t e) {        \
    normalize<V, std::uint16_t>(a, b, e);                                                       \
  }                                                                                             \
  void quantize_u8_##suffix(const QuantizeArgs& a, std::int64_t b, std::int64_t e) {            \
    quantize<V, std::uint8_t>(a, b, e);                                                         \
  }                                                                                             \
  void quantize_s8_##suffix(const QuantizeArgs& a, std::int64_t b, std::int64_t e) {            \
    quantize<V, std::int8_t>(a, b, e);                                                          \
  }                                                                                             \
  void dequantize_u8_##suffix(const DequantizeArgs& a, std::int64_t b, std::int64_t e) {        \
    dequantize<V, std::uint8_t>(a, b, e);                                                       \
  }                                                                                             \
  void dequantize_s8_##suffix(const DequantizeArgs& a, std::int64_t b, std::int64_t e) {        \
    dequantize<V, std::int8_t>(a, b, e);                                                        \
  }                                                                                             \
  void f32_to_bf16_##suffix(const float* x, std::uint16_t* y, std::int64_t b, std::int64_t e) { \
    convert<V>(x, y, b, e);                                                                     \
  }                                                                                             \
  void bf16_to_f32_##suffix(const std::uint16_t* x, float* y, std::int64_t b, std::int64_t e) { \
    convert<V>(x, y, b, e);                                                                     \
  }                                                                                             \
  }
