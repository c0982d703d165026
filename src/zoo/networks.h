// The networks that Fovea can build without a model file, from a checkpoint or with seeded synthetic weights.
#pragma once

#include <span>
#include <string_view>

#include "graph/graph.h"
#include "zoo/weight_source.h"

namespace fovea {

struct NetworkSpec {
  std::string_view name;
  // Takes the tensors that the network needs from `weights`; an error names the missing one.
  Result<Graph> (*build)(WeightSource& weights);
};

std::span<const NetworkSpec> networks();
const NetworkSpec* find_network(std::string_view name);  // nullptr if there is none

#define NETWORK(name, builder) Result<Graph> builder(WeightSource& weights);
#include "zoo/networks.inc"
#undef NETWORK

}  // namespace fovea
