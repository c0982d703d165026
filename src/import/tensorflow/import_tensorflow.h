// Imports frozen TensorFlow graphs (GraphDef, .pb) as portable graphs in the canonical form of ops/.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "import/wire/import_limits.h"

namespace fovea {

struct TensorflowOptions {
  ImportLimits limits;
  // Where the network begins: "node", "node:output" or, with a shape in the file's order, "node[1,224,224,3]". What
  // lies before is left out. Empty: every Placeholder that the outputs depend on.
  std::vector<std::string> input_nodes;
  // Where it ends: "node" or "node:output". Empty: every node that depends on an input and that no other node reads,
  // floating-point ones first.
  std::vector<std::string> output_nodes;
  // An image input that the file has as [N,H,W,C] becomes [N,C,H,W], as images are in Fovea's graphs; in channels-last
  // order in memory these are the same bytes. False: the file's shape, behind which a Transpose stands.
  bool channels_first_images = true;
};

// Reads a GraphDef whose variables are constants. Only what the outputs depend on is read, so that operators elsewhere
// do not matter. Images (rank 4, NHWC) are computed as NCHW inside; outputs have the file's order. Quantised operators
// become QuantizeLinear/DequantizeLinear pairs around floats; 16-bit floats are widened to f32. The result's metadata
// holds "source_format", "producer_version" (of the GraphDef) and, the names of turned image inputs, "nhwc_inputs".
// Errors name the file, the node and what was expected and found; operators that cannot be read are all listed in one
// error. Thread-safe.
Result<Graph> import_tensorflow(const std::filesystem::path& path, const TensorflowOptions& options = {});

// The same for a GraphDef in memory; `name` stands for the file in errors. The bytes are not needed afterwards.
Result<Graph> import_tensorflow_bytes(std::span<const std::byte> bytes, std::string_view name,
                                      const TensorflowOptions& options = {});

// Whether a file of this name is taken for a GraphDef: it ends in .pb.
bool is_tensorflow_file(std::string_view file_name);

}  // namespace fovea
