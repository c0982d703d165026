// Accuracy control: lets the most sensitive layers fall back to floats until a network is accurate enough.
#pragma once

#include <functional>

#include "quant/sensitivity.h"

namespace fovea::quant {

// How a network is to be run.
enum class Form {
  kFloat,      // in fp32: what the drop is counted from
  kQuantised,  // in integers, layers that fell back in the precision they fall back to
  kFallenBack  // nothing is left in integers: all of it in that precision
};
// Top-1 in percent of a network on the labelled images.
using MeasureTop1 = std::function<Result<double>(const Graph& graph, Form form)>;
// The 8-bit form of the network in which these nodes stay in floats.
using MakeNetwork = std::function<Result<QuantisedNetwork>(const std::set<std::string>& keep_float)>;

struct AccuracyControlOptions {
  double max_drop = 0.5;                                  // percentage points of top-1
  std::function<void(const std::string& what)> progress;  // before every measurement
};

struct AccuracyControlResult {
  QuantisedNetwork network;
  double float_top1 = 0, top1 = 0;
  std::vector<std::string> kept_float;  // the most sensitive layers
  struct Try {
    int layers_in_float = 0;
    double top1 = 0;
  };
  std::vector<Try> tries;  // in the order in which they were made
};

// Tries 0, 1, 2, 4… layers in floats, in the order of `ranking`, until the drop holds, then the middle between the last
// failure and the success until they meet. Every number that is reported was measured. With all layers in floats
// nothing is quantised: the network is the float one, in the precision that layers fall back to.
Result<AccuracyControlResult> hold_accuracy(const Graph& graph, const std::vector<LayerSensitivity>& ranking,
                                            const std::set<std::string>& keep_float, const MakeNetwork& make,
                                            const MeasureTop1& measure, const AccuracyControlOptions& options);

}  // namespace fovea::quant
