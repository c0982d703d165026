// Weights in 8 bits: symmetric around zero, one scale a filter or one for all.
#pragma once

#include <span>
#include <vector>

#include "tensor/tensor.h"

namespace fovea::quant {

struct WeightOptions {
  bool per_channel = true;
  bool clip = false;        // choose each scale for the least squared error instead of the largest weight
  bool full_range = false;  // -128..127 instead of -127..127
};

struct QuantisedFilters {
  Tensor s8;                        // dims of the weights
  std::vector<float> scale;         // one a filter, or a single one
  std::vector<std::int64_t> empty;  // filters whose weights are all zero
  double error_power = 0;           // sum of squared differences…
  double signal_power = 0;          // …and of squared weights
};

// real = s8 * scale. `filter_axis` is 0 or, for matrices [K,O], 1. `least_scale` (one a filter, or empty) holds lower
// bounds of the scales: see bias.h. A filter without any weight but zero gets zeros and the median scale of the others,
// 1 if there are none. A weight that is NaN or infinite is an error that says where.
Result<QuantisedFilters> quantise_weights(const Tensor& weights, int filter_axis, const WeightOptions& options,
                                          std::span<const double> least_scale = {});

}  // namespace fovea::quant
