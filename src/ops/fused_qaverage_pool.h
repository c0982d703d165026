// FusedQAveragePool: averages of a quantised image with requantisation in one, over windows or over all pixels.
#pragma once

#include "ops/fused_qconv.h"

namespace fovea {

// Fovea's own target operator, never saved to a file: X u8 [N,C,spatial…]; Y u8, or f32 without attribute y_scale.
//   mean     (sum over the pixels of the window inside the image of (X - x_zero_point), exact) / pixels that count
//   output   u8: saturate(round half to even(mean * x_scale / y_scale) + y_zero_point); f32: mean * x_scale
// Attributes: x_scale, x_zero_point, y_scale, y_zero_point; those of AveragePool (with count_include_pad the padding
// counts as zeros), or global = 1 for one window of all pixels.
struct FusedQAveragePool {
  bool global = false;
  bool count_include_pad = false;
  Quantised x;
  std::optional<Quantised> y;
};

// All but the window's geometry.
Result<FusedQAveragePool> read_fused_qaverage_pool(const Node& node);

}  // namespace fovea
