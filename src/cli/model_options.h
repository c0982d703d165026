// The options of every command that loads a model, and the loading.
#pragma once

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "base/result.h"
#include "runtime/compile.h"
#include "zoo/load_model.h"

namespace fovea::cli {

struct ModelOptions {
  std::string model;
  std::string preprocess, resize, interpolation, channel_order, mean, std, labels;
  int crop = -1;
  int label_offset = -1;
  bool pixels = false;  // the network takes bytes and pre-processes them itself
  bool synthetic = false;
  std::uint64_t seed = 1;
  std::vector<std::string> input_nodes, output_nodes;
};

// --model, defaulting to the embedded default; a positional MODEL instead if `positional`. And, for TensorFlow graphs,
// --input-nodes and --output-nodes.
void add_model_option(CLI::App& command, ModelOptions& options, bool positional = false);
// --preprocess, --mean, --std, --resize, --crop, --channel-order, --label-offset, --labels.
void add_preprocess_options(CLI::App& command, ModelOptions& options);
// --pixels: what runs the network may let it take pixels. With it, call check_pixels once the precision is known.
void add_pixels_option(CLI::App& command, ModelOptions& options);
Status check_pixels(const ModelOptions& options, Precision precision);
// --synthetic and --seed.
void add_synthetic_options(CLI::App& command, ModelOptions& options);

// Loads the model and prints its notices to standard error. With `allow_synthetic`, a missing file gives synthetic
// weights where the network can be built, and says so.
Result<LoadedModel> load(const ModelOptions& options, bool allow_synthetic = false);

// --precision, --batch, --threads and the planner's choices.
struct RunOptions {
  std::string precision = "auto";
  std::string tune = "off";
  std::int64_t batch = 1;
  int threads = 0;
  std::string force_tactic;
  std::vector<std::string> exclude;
};
void add_run_options(CLI::App& command, RunOptions& options);
PlanOptions plan_options(const RunOptions& options);
// What `name` (--precision) means for a network; tells on standard error if its file wants what this CPU lacks.
Result<Precision> precision_for(const std::string& name, const Graph& graph);
// What --tune says, into compile options; warnings go to standard error.
Status apply_tuning(const RunOptions& options, CompileOptions& compile);

}  // namespace fovea::cli
