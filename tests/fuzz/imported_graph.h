// What the fuzz programs of importers do with a mutant's graph.
#pragma once

#include "graph/graph.h"
#include "tests/fuzz/campaign.h"

namespace fovea::fuzz {

// What is wrong with what an importer returned, or nothing. An accepted graph is written and read again, and evaluated
// where it is small; both are counted.
std::string treat_imported(const Result<Graph>& graph, Rng& rng, Counts& counts);

}  // namespace fovea::fuzz
