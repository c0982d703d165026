// The part of a network that certain tensors need.
#pragma once

#include <span>

#include "graph/graph.h"

namespace fovea::quant {

// The graph that computes these values, which become its outputs in this order, from the same inputs. Values keep names
// and types; constants are shared. A value may be an input, but no constant.
Result<Graph> prefix_for(const Graph& graph, std::span<const ValueId> wanted);

}  // namespace fovea::quant
