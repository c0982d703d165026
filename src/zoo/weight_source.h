// Where a network builder takes its weights from: seeded random numbers, or a PyTorch checkpoint.
#pragma once

#include <cstdint>
#include <string>

#include "import/torch/checkpoint.h"

namespace fovea {

// One tensor that a network needs.
struct WeightRequest {
  enum class Role : std::uint8_t { kWeight, kBias, kScale, kShift, kMean, kVariance };
  std::string name;  // "layer1.0.conv1.weight"
  Dims dims;         // weights: outputs first
  Role role = Role::kWeight;
  float gain = 1;  // kWeight: standard deviation * sqrt(fan-in); kScale: the mean. For random weights only.
};

class WeightSource {
 public:
  virtual ~WeightSource() = default;
  // An f32 tensor of the wanted dims; an error names the tensor.
  virtual Result<Tensor> get(const WeightRequest& request) = 0;
};

// Random weights that depend on the seed and the tensor's name only. Weights are uniform with the variance
// gain^2 / fan-in (gain sqrt(2) before a ReLU: He et al., "Delving Deep into Rectifiers", 2015); batch norm statistics
// are close to those of such weights on normalised images, so that activations neither explode nor vanish.
class SyntheticWeights : public WeightSource {
 public:
  explicit SyntheticWeights(std::uint64_t seed) : seed_(seed) {}
  Result<Tensor> get(const WeightRequest& request) override;

 private:
  std::uint64_t seed_;
};

// Tensors by name; 16-bit floats are widened. The checkpoint must outlive it.
class CheckpointWeights : public WeightSource {
 public:
  explicit CheckpointWeights(const TorchCheckpoint& checkpoint) : checkpoint_(checkpoint) {}
  Result<Tensor> get(const WeightRequest& request) override;

 private:
  const TorchCheckpoint& checkpoint_;
};

}  // namespace fovea
