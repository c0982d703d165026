// Cross-layer equalisation: the weights of neighbouring convolutions, brought to like ranges without changing what the
// network computes.
#pragma once

#include <map>
#include <vector>

#include "graph/graph.h"
#include "quant/bias_correction.h"

namespace fovea::quant {

// The largest value of each channel that a tensor [N,C,H,W] took.
using ChannelMaxima = std::map<ValueId, std::vector<float>>;

// Tensors behind a Clip, whose maxima equalise() wants to know.
std::vector<ValueId> bounded_tensors(const Graph& graph);
Result<ChannelMaxima> measure_channel_maxima(const Graph& graph, const std::vector<ValueId>& tensors,
                                             SampleSource& samples, const PassOptions& pass);

// For every pair of convolutions with nothing but a Relu, LeakyRelu or Clip(0, b) between them: output channel c of the
// first is divided by s and input channel c of the second multiplied by it, s such that both weights have the same
// largest magnitude (Nagel et al., "Data-Free Quantization Through Weight Equalization and Bias Correction", 2019,
// section 4.1). Chains are swept until they settle. A Clip is no obstacle to channels that never reach its bound,
// before and after: those that do, or of which no maximum is known, keep s = 1. Returns how many pairs were changed.
Result<int> equalise(Graph& graph, const ChannelMaxima& maxima);

}  // namespace fovea::quant
