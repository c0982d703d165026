// The names that tensors had before the portable passes: other tools know them by these.
#pragma once

#include <map>
#include <string>

#include "graph/graph.h"

namespace fovea::quant {

// From the names of `portable`'s tensors to the names in `original`, the graph that the passes began with, for tensors
// whose names the passes changed: the result of a convolution takes the name of the batch norm's result that was folded
// into it.
std::map<std::string, std::string> original_names(const Graph& original, const Graph& portable);

}  // namespace fovea::quant
