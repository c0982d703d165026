// The kernels along rows, once for every vector policy. Included by the ISA files only.
#pragma once

#include "kernels/rowwise/rowwise.h"
#include "kernels/vector_loop.h"

namespace fovea::kernels {
namespace {

// Combines the lanes of a vector in order.
template <class V, class Function>
float reduce(typename V::F x, Function function) {
  float lane[V::N];
  V::store(lane, x);
  float result = lane[0];
  for (int i = 1; i < V::N; ++i) result = function(result, lane[i]);
  return result;
}

// Largest element, NaNs passed over; -inf where there is none.
template <class V>
float row_max(const float* x, std::int64_t length) {
  using F = typename V::F;
  const F lowest = V::set1(-__builtin_inff());
  F best = lowest;
  std::int64_t i = 0;
  // max gives its second operand where either is NaN: the best so far.
  for (; i + V::N <= length; i += V::N) best = V::max(V::load(x + i), best);
  float result = reduce<V>(best, [](float a, float b) { return a > b ? a : b; });
  for (; i < length; ++i) result = x[i] > result ? x[i] : result;
  return result;
}

template <class V>
void softmax_row(const float* x, float* y, std::int64_t length, bool logarithm) {
  using F = typename V::F;
  const F max = V::set1(row_max<V>(x, length));
  F sum = V::zero();
  float rest = 0.0f;
  vector_loop<V>(length, [&](std::int64_t i, auto lanes) FOVEA_INLINE_LAMBDA {
    const F shifted = V::sub(load<V>(x + i, lanes), max), e = exp<V>(shifted);
    store<V>(y + i, logarithm ? shifted : e, lanes);
    if constexpr (__is_same(decltype(lanes), Full)) {
      sum = V::add(sum, e);
    } else {
      float lane[V::N];
      V::store(lane, e);
      for (std::int64_t k = 0; k < length - i; ++k) rest += lane[k];
    }
  });
  const float total = reduce<V>(sum, [](float a, float b) { return a + b; }) + rest;
  if (logarithm) {
    const F log_total = log<V>(V::set1(total));
    vector_loop<V>(length, [&](std::int64_t i, auto lanes) FOVEA_INLINE_LAMBDA {
      store<V>(y + i, V::sub(load<V>(y + i, lanes), log_total), lanes);
    });
  } else {
    const F scale = V::set1(1.0f / total);
    vector_loop<V>(length, [&](std::int64_t i, auto lanes)
                               FOVEA_INLINE_LAMBDA { store<V>(y + i, V::mul(load<V>(y + i, lanes), scale), lanes); });
  }
}

template <class V>
void softmax(const SoftmaxArgs& args, std::int64_t row_begin, std::int64_t row_end) {
  for (std::int64_t row = row_begin; row < row_end; ++row)
    softmax_row<V>(args.x + row * args.length, args.y + row * args.length, args.length, args.logarithm);
}

// Finds the largest value first, then where it is: two passes at the speed of memory, no index vectors.
template <class V>
void argmax(const ArgMaxArgs& args, std::int64_t row_begin, std::int64_t row_end) {
  for (std::int64_t row = row_begin; row < row_end; ++row) {
    const float* x = args.x + row * args.length;
    const float best = row_max<V>(x, args.length);
    std::int64_t at = 0;
    if (args.last) {
      for (std::int64_t i = args.length - 1; i >= 0; --i)
        if (x[i] == best) {
          at = i;
          break;
        }
    } else {
      for (std::int64_t i = 0; i < args.length; ++i)
        if (x[i] == best) {
          at = i;
          break;
        }
    }
    args.index[row] = at;
  }
}

// base^-beta
template <class V>
typename V::F inverse_power(typename V::F base, float beta) {
  using F = typename V::F;
  const F one = V::set1(1.0f);
  if (beta == 0.5f) return V::div(one, V::sqrt(base));
  if (beta == 0.75f) {
    const F root = V::sqrt(base);
    return V::div(one, V::mul(root, V::sqrt(root)));
  }
  if (beta == 1.0f) return V::div(one, base);
  return exp<V>(V::mul(V::set1(-beta), log<V>(base)));
}

// Taps of a normalisation window that are copied together at the ends of a row.
inline constexpr std::int64_t kMaxWindow = 16;

template <class V>
void lrn_pixel(const LrnArgs& args, const float* x, float* y) {
  using F = typename V::F;
  const std::int64_t below = (args.size - 1) / 2, above = args.size / 2, channels = args.channels;
  const F factor = V::set1(args.alpha / static_cast<float>(args.size)), bias = V::set1(args.bias);
  vector_loop<V>(channels, [&](std::int64_t c, auto lanes) FOVEA_INLINE_LAMBDA {
    F sum = V::zero();
    if (c >= below && c + V::N + above <= channels) {
      for (std::int64_t d = -below; d <= above; ++d) {
        const F value = V::load(x + c + d);
        sum = V::fma(value, value, sum);
      }
    } else {  // the window leaves the row: what lies outside counts as 0
      for (std::int64_t from = -below; from <= above; from += kMaxWindow) {
        const std::int64_t taps = min_extent(kMaxWindow, above + 1 - from);
        float window[V::N + kMaxWindow];
        for (std::int64_t k = 0; k < V::N + taps - 1; ++k) {
          const std::int64_t at = c + from + k;
          window[k] = at >= 0 && at < channels ? x[at] : 0.0f;
        }
        for (std::int64_t d = 0; d < taps; ++d) {
          const F value = V::load(window + d);
          sum = V::fma(value, value, sum);
        }
      }
    }
    const F scale = inverse_power<V>(V::fma(factor, sum, bias), args.beta);
    store<V>(y + c, V::mul(load<V>(x + c, lanes), scale), lanes);
  });
}

template <class V>
void lrn(const LrnArgs& args, std::int64_t row_begin, std::int64_t row_end) {
  for (std::int64_t row = row_begin; row < row_end; ++row)
    lrn_pixel<V>(args, args.x + row * args.channels, args.y + row * args.channels);
}

}  // namespace
}  // namespace fovea::kernels

// The functions of one row of kernels.inc.
#define FOVEA_ROWWISE_KERNELS(V, suffix)                                                                   \
  namespace fovea::kernels {                                                                               \
  void softmax_f32_##suffix(const SoftmaxArgs& a, std::int64_t b, std::int64_t e) { softmax<V>(a, b, e); } \
  void argmax_f32_##suffix(const ArgMaxArgs& a, std::int64_t b, std::int64_t e) { argmax<V>(a, b, e); }    \
  void lrn_f32_##suffix(const LrnArgs& a, std::int64_t b, std::int64_t e) { lrn<V>(a, b, e); }             \
  }
