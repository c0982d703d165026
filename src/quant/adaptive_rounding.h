// Adaptive rounding: the weights of all layers rounded up or down such that every layer's result is closest.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "quant/bias_correction.h"
#include "quant/quantise.h"

namespace fovea::quant {

struct RoundingOptions {
  int iterations = 1000;  // of every filter
  std::uint64_t seed = 1;
  PassOptions pass;  // `progress` in thousands of weights
  // Where an interrupted rounding leaves the layers that are done, and a later one with the same `identity`, ranges and
  // options goes on; empty: nowhere. The caller removes it in the end.
  std::filesystem::path state_file;
  std::string identity;
};

// Errors are those of a layer's result, behind its activation, on images that its rounding was not fitted to: the
// signal's power over the error's, in dB, each for the input that the quantised network gives the layer.
struct RoundedLayer {
  std::string name;
  double nearest_sqnr_db = 0, adaptive_sqnr_db = 0;
  std::int64_t weights = 0, changed = 0;  // how many of them are not the nearest any more
  bool adopted = false;                   // false: to nearest, which was no worse
};

struct Rounding {
  RoundedFilters filters;            // of adopted layers
  std::vector<RoundedLayer> layers;  // in the order in which the network computes them
  std::int64_t images = 0;
  int resumed_layers = 0;  // taken over from an interrupted run
  std::string notice;      // why a state file that was there could not be used; empty: it could
};

// Layer by layer: round_filter() of every filter of a product, for inputs from the network whose layers before this one
// are already rounded and run in integers, towards the results of the float network. The samples (prepared images) are
// kept in memory. The same for every number of threads. Errors: interrupted (with the state kept), no image.
Result<Rounding> adapt_rounding(const Graph& graph, const Placement& placement, const std::vector<Range>& ranges,
                                const QuantiseOptions& options, SampleSource& samples, const RoundingOptions& how);

}  // namespace fovea::quant
