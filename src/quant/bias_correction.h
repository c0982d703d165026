// Bias correction: what each layer is off by, on average, in 8 bits.
#pragma once

#include <atomic>
#include <functional>

#include "quant/quantise.h"
#include "quant/tapped_network.h"

namespace fovea::quant {

struct PassOptions {
  EngineOptions engine;
  const std::atomic<bool>* stop = nullptr;
  std::function<void(std::int64_t done, std::int64_t total)> progress;  // after every image
};

// For every product the mean over images and pixels, one a filter, of its result in floats minus its result with 8-bit
// input and weights, both for the float network's input (Nagel et al., "Data-Free Quantization Through Weight
// Equalization and Bias Correction", 2019, section 4.2, by measurement). Because each layer is compared for the same
// input, the shifts of one pass can be applied to all layers together. A MatMul has no bias and gets no entry.
Result<BiasShifts> measure_bias_shifts(const Graph& graph, const Placement& placement, const std::vector<Range>& ranges,
                                       const QuantiseOptions& options, SampleSource& samples, const PassOptions& pass);

}  // namespace fovea::quant
