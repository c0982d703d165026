// The weights and the bias of one product, as they will be stored.
#pragma once

#include <vector>

#include "quant/quantise.h"

namespace fovea::quant {

struct ProductFilters {
  QuantisedFilters weights;
  std::vector<double> bias;  // one a filter, the shift included; zeros where the node has none
  bool has_bias = false;     // of its own
};

// Scales respect least_weight_scales() of bias.h where each filter has its own. `shift` (one a filter) may be null.
// Weights that the options give for this product are taken as they are.
Result<ProductFilters> quantise_filters(const Graph& graph, const Placement::Product& product, float x_scale,
                                        const QuantiseOptions& options, const std::vector<double>* shift);

// What the stored weights stand for, in floats.
Tensor dequantised_weights(const QuantisedFilters& filters, int filter_axis);

}  // namespace fovea::quant
