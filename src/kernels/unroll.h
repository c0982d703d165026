// Loops that are unrolled before the optimiser sees them, so that arrays of vectors they index stay in registers.
#pragma once

#include <utility>

#define FOVEA_INLINE_LAMBDA __attribute__((always_inline))

namespace fovea::kernels {

// f(0), f(1) … f(N - 1), each argument a constant expression (std::integral_constant). Give the lambda
// FOVEA_INLINE_LAMBDA after its parameters, or it may stay a call.
template <int N, class F>
[[gnu::always_inline]] inline void unroll(F&& f) {
  [&]<int... kIndex>(std::integer_sequence<int, kIndex...>) FOVEA_INLINE_LAMBDA {
    (f(std::integral_constant<int, kIndex>{}), ...);
  }
  (std::make_integer_sequence<int, N>{});
}

}  // namespace fovea::kernels
