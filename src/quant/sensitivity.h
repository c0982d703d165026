// Sensitivity: what a network's answers lose if one layer alone computes in 8 bits.
#pragma once

#include <string>
#include <vector>

#include "quant/bias_correction.h"

namespace fovea::quant {

struct LayerSensitivity {
  NodeId node = kNoNode;
  std::string name;
  double sqnr_db = 0;  // of the network's first output, float against this layer in 8 bits
};

// One entry a product, the most sensitive first. Runs the network once for every product and sample; `progress` counts
// those runs.
Result<std::vector<LayerSensitivity>> measure_sensitivity(const Graph& graph, const Placement& placement,
                                                          const std::vector<Range>& ranges,
                                                          const QuantiseOptions& options, SampleSource& samples,
                                                          const PassOptions& pass);

}  // namespace fovea::quant
