// The limit on dimensions, over a whole graph.
#pragma once

#include "graph/graph.h"

namespace fovea::wire {

// kResource where a value of the graph has more than kMaxRank dimensions, once shapes are inferred.
Status check_ranks(const Graph& graph);

}  // namespace fovea::wire
