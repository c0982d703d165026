// What a pass may put into the first convolution of a network.
#pragma once

#include "graph/graph.h"

namespace fovea::passes {

// Whether a FusedConv or FusedQConv copies its input image anyway, so that pixels can be pre-processed on the way: few
// channels, no groups, not dilated (the tactics conv_first and qconv_first).
bool copies_its_input(const Graph& graph, const Node& conv);

}  // namespace fovea::passes
