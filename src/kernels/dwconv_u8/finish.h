// What happens to the sums of a pixel where speed does not matter: residuals, activations that see real numbers,
// quantisation before the residual, real results. Included by the vector ISA files only.
#pragma once

#include "kernels/dwconv_u8/dwconv_u8.h"
#include "kernels/vector_math.h"

namespace fovea::kernels {
namespace {

// Whether bytes and bounds are all that there is.
inline bool finishes_simply(const DwConvU8Args& args) {
  const Requantise& q = args.requantise;
  return args.y != nullptr && args.residual == nullptr && !q.middle && q.kind <= EpilogueKind::kClip;
}

// n (1 … 16) channels that lie at `at` of y. v, a multiple of V::N, holds multiplied sums with the bias added.
template <class V>
void finish_channels(const DwConvU8Args& args, const float* v, std::int64_t at, int n) {
  using F = typename V::F;
  const Requantise& q = args.requantise;
  const bool is_real = args.y == nullptr || q.kind > EpilogueKind::kClip;
  const Epilogue epilogue = {is_real ? q.kind : EpilogueKind::kNone, q.a, q.b};
  for (int i = 0; i < n; i += V::N) {
    const auto tail = V::tail(n - i < V::N ? n - i : V::N);
    F r = V::load(v + i);
    if (q.middle) {
      r = V::round_even(V::min(V::max(r, V::set1(q.middle_low)), V::set1(q.middle_high)));
      r = V::fma(r, V::set1(q.middle_scale), V::set1(q.middle_bias));
    }
    if (args.residual != nullptr) r = V::fma(V::load(args.residual + at + i, tail), V::set1(q.residual_scale), r);
    r = apply_epilogue<V>(epilogue, r);
    if (args.y == nullptr) {
      V::store(args.y_f32 + at + i, r, tail);
      continue;
    }
    if (is_real) r = V::mul(r, V::set1(q.inverse_scale));
    // Integers below 2^24 in floats: exact. max first, so that NaN becomes the lower bound.
    r = V::add(V::round_even(r), V::set1(static_cast<float>(q.zero_point)));
    V::store(args.y + at + i, V::min(V::max(r, V::set1(q.low)), V::set1(q.high)), tail);
  }
}

}  // namespace
}  // namespace fovea::kernels
