#include <algorithm>
#include <cmath>

#include "kernels/igemm_u8s8/rows.h"
#include "kernels/vector_math_scalar.h"

namespace fovea::kernels {
namespace {

constexpr int kNr = 16;

void finish(const IgemmU8Run& run, std::int64_t row, const std::int32_t* sums) {
  const Requantise& q = run.requantise;
  for (int j = 0; j < run.n; ++j) {
    float v = std::fma(static_cast<float>(sums[j]), run.multiplier[j], run.bias[j]);
    if (q.middle)
      v = std::fma(std::nearbyint(std::min(std::max(v, q.middle_low), q.middle_high)), q.middle_scale, q.middle_bias);
    if (run.residual != nullptr)
      v = std::fma(static_cast<float>(run.residual[run.residual_offsets[row] + j]), q.residual_scale, v);
    const bool is_real = run.c == nullptr || q.kind > EpilogueKind::kClip;
    if (is_real) v = apply_epilogue<Scalar>({q.kind, q.a, q.b}, v);
    if (run.c == nullptr) {
      run.c_f32[run.c_offsets[row] + j] = v;
      continue;
    }
    if (is_real) v *= q.inverse_scale;
    const float y = std::nearbyint(v) + static_cast<float>(q.zero_point);
    run.c[run.c_offsets[row] + j] =
        static_cast<std::uint8_t>(std::min(std::max(static_cast<float>(q.low), y), static_cast<float>(q.high)));
  }
}

}  // namespace

void igemm_u8s8_row_sums_scalar(const IgemmU8Run& run, std::int64_t k, std::int32_t* sums) {
  for (std::int64_t i = 0; i < run.m; ++i) {
    sums[i] = 0;
    for (std::int64_t t = 0; t < run.taps; ++t) {
      const std::uint8_t* a = run.a + run.a_offsets[t * run.a_tap_stride + i];
      for (std::int64_t at = 0; at < k; ++at) sums[i] += a[at];
    }
  }
}

void igemm_u8s8_1x16_scalar(const IgemmU8Run& run) {
  for (std::int64_t i = 0; i < run.m; ++i) {
    std::int32_t sums[kNr];
    for (int j = 0; j < kNr; ++j) {
      sums[j] = run.start[j];
      if (run.row_start != nullptr) sums[j] += run.row_start[i];
      if (run.offset != nullptr) sums[j] += run.offset[j] * run.row_sums[i];
    }
    for (std::int64_t t = 0; t < run.taps; ++t) {
      const std::uint8_t* a = run.a + run.a_offsets[t * run.a_tap_stride + i];
      const std::int8_t* b = run.b + run.tap_indices[t] * run.b_tap_stride;
      for (std::int64_t k = 0; k < run.quads * kIgemmQuad; ++k)
        for (int j = 0; j < kNr; ++j) sums[j] += a[k] * b[(k / kIgemmQuad * kNr + j) * kIgemmQuad + k % kIgemmQuad];
    }
    finish(run, i, sums);
  }
}

}  // namespace fovea::kernels
