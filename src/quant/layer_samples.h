// Samples of one layer: what its filters read in the quantised network, and what they gave in the float network.
#pragma once

#include <vector>

#include "ops/activation.h"
#include "quant/quantise.h"
#include "quant/tapped_network.h"

namespace fovea::quant {

// How a product reads its input, resolved.
struct ProductGeometry {
  std::int64_t groups = 1, filters = 0, inner = 0;  // inner: weights of one filter
  std::int64_t filters_per_group() const { return filters / groups; }
  Activation activation;  // directly behind it, if nothing else reads its result
};
Result<ProductGeometry> geometry_of(const Graph& graph, const Placement::Product& product);

struct LayerSamples {
  std::int64_t rows = 0;
  std::vector<float> x;       // [groups][rows][inner]
  std::vector<float> target;  // [filters][rows], before the activation
};
struct LayerSampleSet {
  LayerSamples fit, check;  // of different images; `check` is empty if there are fewer than 4
};

// Of the positions of each image's result a few random ones are taken, at most 128 MiB of inputs in all; every fourth
// image is for checking. `quantised` is the network with the layers before this one in 8 bits, made of `graph` by
// quantise(); samples give up when `stop` says so (interrupted).
Result<LayerSampleSet> sample_layer(const Graph& graph, const Graph& quantised, const Placement::Product& product,
                                    std::span<const Tensor> images, const EngineOptions& engine, std::uint64_t seed,
                                    const std::atomic<bool>* stop);

}  // namespace fovea::quant
