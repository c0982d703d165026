// Pass: one rewriting of a graph. passes.inc is the pipeline in order; run_passes checks the graph after each.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/cpu_features.h"
#include "graph/graph.h"

namespace fovea {

// What a pass may want to know of the target.
struct PassOptions {
  CpuFeatures cpu = active_cpu();
  Layout input_layout = Layout::kRowMajor;  // of rank-4 graph inputs
  bool lower_to_bf16 = false;               // with lower_quantised: only products that gain by it, and what is between
  bool lower_quantised = true;              // compute quantised networks in integers
  std::string disabled;                     // comma-separated names of passes to skip
};

enum class Stage { kPortable, kTarget };    // the portable stage's result can be saved and read by other tools

struct Pass {
  std::string_view name;
  Stage stage;
  std::string_view says;                    // one line: what it does
  Status (*run)(Graph&, const PassOptions&);
};

// All passes in order.
std::span<const Pass> pass_table();

struct PassTrace {
  std::string_view name;
  double milliseconds = 0;
  int nodes_before = 0, nodes_after = 0;
};

// Runs the passes of one stage in order, verifying the graph after each; an error names the pass. `trace` may be null.
Status run_passes(Graph& graph, Stage stage, const PassOptions& options, std::vector<PassTrace>* trace = nullptr);

// Runs one pass by name, for tests and debugging.
Status run_pass(Graph& graph, std::string_view name, const PassOptions& options);

}  // namespace fovea
