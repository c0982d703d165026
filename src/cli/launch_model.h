// The network that a launch runs: a file, or the catalogue's with synthetic weights, in 8 bits where that is asked for.
#pragma once

#include "cli/launch_settings.h"

namespace fovea::cli {

// Without --in-graph the network has seeded random weights, quantised on random images where the precision is an int8
// one; for --accuracy-only it is the catalogue's own file instead. Notices go to standard error. Uses no threads but
// the caller's. Errors: a model that is no classifier, an int8 run of a network that is not quantised.
Result<LoadedModel> load_launch_model(const LaunchSettings& settings, const LaunchPrecision& precision);

// The name in the catalogue for a --model-name: "resnet50v1_5" is resnet50.
std::string catalogue_name(const std::string& model_name);

}  // namespace fovea::cli
