// One image row, over the vector policies of vector_math.h. Included by the ISA files only.
#pragma once

#include "kernels/pad_input/pad_input.h"

namespace fovea::kernels {
namespace {

template <class V>
inline void normalize_run(const NormalizeRun& run) {
  const std::int64_t full = run.n / V::N * V::N;
  std::int64_t at = 0;  // in the repeated means
  for (std::int64_t i = 0; i < full; i += V::N) {
    const auto x = V::load(run.src + i);
    V::store(run.dst + i, V::mul(V::sub(x, V::load(run.mean + at)), V::load(run.scale + at)));
    at += V::N;
    if (at == run.period) at = 0;
  }
  if (full == run.n) return;
  const auto tail = V::tail(run.n - full);
  const auto x = V::load(run.src + full, tail);
  const auto y = V::mul(V::sub(x, V::load(run.mean + at, tail)), V::load(run.scale + at, tail));
  V::store(run.dst + full, y, tail);
}

}  // namespace
}  // namespace fovea::kernels
