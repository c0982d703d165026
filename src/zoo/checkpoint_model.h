// Models that come as a PyTorch checkpoint: built into their network once, written to ONNX, and read from there
// afterwards.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "zoo/model_entry.h"

namespace fovea {

// Key of the metadata by which a converted file is recognised when it is given as a path.
inline constexpr std::string_view kModelMetadata = "fovea_model";

struct ConvertedModel {
  Graph graph;
  std::filesystem::path path;  // the ONNX file, or the checkpoint where no folder could be written to
  std::string sha256;          // of that file
};

bool is_checkpoint_file(std::string_view file_name);  // .pth, .pt

// The ONNX file that an earlier conversion left in one of `folders`, if it is intact (its hash stands beside it).
Result<std::optional<ConvertedModel>> find_converted(const ModelEntry& entry,
                                                     const std::vector<std::filesystem::path>& folders);

// Builds entry.network with the weights of `checkpoint` and writes it beside the checkpoint or, where that fails, into
// the model cache. `sha256` is the checkpoint's. A folder that cannot be written to is no error.
Result<ConvertedModel> convert_checkpoint(const ModelEntry& entry, const std::filesystem::path& checkpoint,
                                          const std::string& sha256);

}  // namespace fovea
