// What the ONNX fuzz programs do with a mutant that the importer accepts: bind its shapes, and make inputs for it.
#pragma once

#include "base/rng.h"
#include "graph/graph.h"

namespace fovea::fuzz {

// A copy with every open extent of its inputs bound to 2.
Result<Graph> bind_open_extents(const Graph& graph);

// Whether evaluating the bound graph is a matter of milliseconds, as far as its types tell.
bool is_small(const Graph& graph);

// Noise for every input of a bound graph.
std::vector<Tensor> noise_for(const Graph& graph, Rng& rng);

}  // namespace fovea::fuzz
