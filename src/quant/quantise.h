// quantise: from a portable float graph and the ranges of its tensors to a QDQ graph, which other tools run as well.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "quant/placement.h"
#include "quant/range.h"
#include "quant/weights.h"

namespace fovea::quant {

// Weights that are stored as they stand here instead of being rounded to nearest, by product: adaptive rounding.
using RoundedFilters = std::map<NodeId, QuantisedFilters>;

struct QuantiseOptions {
  ActivationType activations = ActivationType::kU8;
  WeightOptions weights;
  std::shared_ptr<const RoundedFilters> rounded;  // may be null
};

// What was done, for reports.
struct TensorRecord {
  std::string name;
  int group = 0;
  Range range;  // asked for, of the whole group
  QuantParameters parameters;
};
struct LayerRecord {
  std::string name, op;
  double weight_sqnr_db = 0;        // of the weights, after rounding; infinite where nothing was lost
  std::vector<std::int64_t> empty;  // filters without weights
  bool float_bias = false;          // it would not have fitted 32 bits
};
struct QuantisedNetwork {
  Graph graph;
  std::vector<TensorRecord> tensors;
  std::vector<LayerRecord> layers;
};

// Added to the biases of products: bias correction.
using BiasShifts = std::map<NodeId, std::vector<double>>;

// `ranges` has one entry a group of the placement. Every quantised tensor t gets "t_quantized" (u8 or s8) and
// "t_dequantized", which all nodes read in its place; weights become s8 behind a DequantizeLinear, biases s32 with the
// scale of the sums, or stay in floats where they do not fit. Errors name the node: weights that are not finite, ranges
// that are not.
Result<QuantisedNetwork> quantise(const Graph& graph, const Placement& placement, const std::vector<Range>& ranges,
                                  const QuantiseOptions& options, const BiasShifts& shifts = {});

}  // namespace fovea::quant
