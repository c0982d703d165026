// compare: how far the tensors of two forms of one network lie apart, layer by layer.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "quant/bias_correction.h"

namespace fovea::quant {

struct TensorComparison {
  std::string name;
  double sqnr_db = 0;    // the first network's tensor as the signal; infinite: equal
  double max_error = 0;  // largest difference of two elements
  double rms = 0;        // of the first network's tensor
};
struct Comparison {
  std::vector<TensorComparison> tensors;  // in the order in which the first network computes them
  std::int64_t images = 0;
};

struct CompareOptions {
  EngineOptions first, second;
  const std::atomic<bool>* stop = nullptr;
  std::function<void(std::int64_t done, std::int64_t total)> progress;
  // The first outputs of both for each sample.
  std::function<void(const Sample& sample, std::span<const float> first, std::span<const float> second)> answers;
};

// For two portable graphs that take the same input. Tensors are matched by name: of a quantised network those that
// exist in 8 bits, under the name that they had in floats; of two float networks those that would be quantised; and the
// outputs. Errors: inputs or outputs that differ, interrupted, no sample.
Result<Comparison> compare(const Graph& first, const Graph& second, SampleSource& samples,
                           const CompareOptions& options);

}  // namespace fovea::quant
