#include "zoo/checkpoint_model.h"

#include <fstream>

#include "base/sha256.h"
#include "export/onnx/export_onnx.h"
#include "import/onnx/import_onnx.h"
#include "import/torch/checkpoint.h"
#include "zoo/model_files.h"
#include "zoo/networks.h"

namespace fovea {
namespace fs = std::filesystem;
namespace {

// Part of the file's name: raised when a builder makes another graph from the same checkpoint.
constexpr int kConversionVersion = 1;

std::string converted_name(const ModelEntry& entry) {
  return fmt::format("{}-{}-v{}.onnx", entry.name, entry.files.front().sha256.substr(0, 8), kConversionVersion);
}

fs::path hash_file_of(const fs::path& model) { return model.string() + ".sha256"; }

std::string read_word(const fs::path& path) {
  std::ifstream file(path);
  std::string word;
  file >> word;
  return word;
}

// The hash comes last: a file without one, or with another one, is converted again.
Result<std::string> write_converted(const Graph& graph, const fs::path& path) {
  std::error_code failure;
  fs::create_directories(path.parent_path(), failure);
  FOVEA_RETURN_IF_ERROR(export_onnx(graph, path));
  FOVEA_TRY(const std::string sha256, sha256_hex_of_file(path));
  std::ofstream(hash_file_of(path)) << sha256 << "  " << path.filename().string() << "\n";
  return sha256;
}

}  // namespace

bool is_checkpoint_file(std::string_view name) { return name.ends_with(".pth") || name.ends_with(".pt"); }

Result<std::optional<ConvertedModel>> find_converted(const ModelEntry& entry, const std::vector<fs::path>& folders) {
  using Found = std::optional<ConvertedModel>;
  for (const fs::path& folder : folders) {
    const fs::path path = folder / converted_name(entry);
    const std::string wanted = read_word(hash_file_of(path));
    if (wanted.empty()) continue;
    const auto sha256 = sha256_hex_of_file(path);
    if (!sha256.ok() || *sha256 != wanted) continue;  // cut off or edited: convert again
    FOVEA_TRY(Graph graph, import_onnx(path));
    return Found(ConvertedModel{std::move(graph), path, wanted});
  }
  return Found();
}

Result<ConvertedModel> convert_checkpoint(const ModelEntry& entry, const fs::path& checkpoint_path,
                                          const std::string& sha256) {
  const NetworkSpec* network = find_network(entry.network);
  FOVEA_CHECK(network != nullptr);  // every embedded entry with a checkpoint names one: tested
  FOVEA_TRY(const TorchCheckpoint checkpoint, read_torch_checkpoint(checkpoint_path));
  CheckpointWeights weights(checkpoint);
  auto graph = network->build(weights);
  if (!graph.ok()) return std::move(graph).error().within(checkpoint_path.string());
  graph->metadata[std::string(kModelMetadata)] = entry.name;
  for (const fs::path& folder : {checkpoint_path.parent_path(), model_cache_folder()}) {
    const fs::path path = folder / converted_name(entry);
    const auto written = write_converted(*graph, path);
    if (written.ok()) return ConvertedModel{std::move(graph).value(), path, *written};
  }
  return ConvertedModel{std::move(graph).value(), checkpoint_path, sha256};
}

}  // namespace fovea
