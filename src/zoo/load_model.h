// load_model: from a name or a path to a graph, with everything that is known of the model.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/labels.h"
#include "graph/graph.h"
#include "zoo/model_entry.h"

namespace fovea {

// Key of the metadata in which a file keeps what differs from its model's pre-processing (see model_entry.h).
inline constexpr std::string_view kPreprocessMetadata = "fovea_preprocess";

struct LoadOptions {
  // Seeded random weights instead of real ones: for speed runs without any download.
  enum class Synthetic : std::uint8_t { kNever, kIfMissing, kAlways };

  std::vector<std::filesystem::path> folders;  // looked into before model_search_path()'s own
  Synthetic synthetic = Synthetic::kNever;
  std::uint64_t seed = 1;
  // A resize or crop given here is kept, and its result resized to the network's input where it has another size.
  PreprocessOverrides preprocess;
  std::optional<int> label_offset;
  std::optional<std::filesystem::path> labels_file;
  // Where the network of a TensorFlow GraphDef begins and ends (import_tensorflow.h); usage errors for other files.
  std::vector<std::string> input_nodes, output_nodes;
};

struct LoadedModel {
  ModelEntry entry;            // of a file outside the catalogue: name, input, classes and what was assumed
  Graph graph;                 // portable
  std::filesystem::path path;  // the file that was read; empty for synthetic weights
  std::string sha256;          // of that file
  bool from_catalogue = false;
  bool synthetic = false;      // random weights: speed is real, answers mean nothing, and every report must say so
  std::uint64_t seed = 0;      // of synthetic weights
  Preprocess preprocess;       // after the overrides
  PreprocessOverrides preprocess_overrides;  // the options' and, where these say nothing, the file's
  int label_offset = 0;        // after the overrides
  Labels labels;               // may be empty
  bool probabilities = false;  // the network ends in a softmax
  std::vector<std::string> notices;  // what the user should know: assumptions, synthetic weights
};

// `name_or_path` is a catalogue name or alias, or a path to an .onnx or .onnx.gz file, to a TensorFlow GraphDef (.pb) or to
// a file of the catalogue: it is recognised by its SHA-256. A catalogue file whose hash differs is an error. A checkpoint is built into its
// network and written to ONNX once, beside it or in the cache. Unknown names are usage errors with the nearest
// suggestion. Thread-safe.
Result<LoadedModel> load_model(const std::string& name_or_path, const LoadOptions& options = {});

}  // namespace fovea
