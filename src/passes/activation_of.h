// Which fusable activation a node applies, if any.
#pragma once

#include "graph/graph.h"
#include "ops/activation.h"

namespace fovea::passes {

// The only element of a constant float value; nothing for anything else.
std::optional<float> constant_scalar(const Graph& graph, ValueId value);

// The activation that a node with one data input (its first) applies, if it is one that kernels fuse.
Result<std::optional<Activation>> activation_of(const Graph& graph, const Node& node);

}  // namespace fovea::passes
