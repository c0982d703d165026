// Where the files of models are looked for.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/knobs.h"
#include "zoo/model_entry.h"

namespace fovea {

// In this order: `extra`, the folders of FOVEA_MODELS (separated by ':'), FOVEA_TEST_DATA/models, the cache's models
// folder, build/models of the working folder, and models beside the folder of the running program (build/bin/fovea
// finds build/models from anywhere). Folders that do not exist are left out; the same folder appears once.
std::vector<std::filesystem::path> model_search_path(const std::vector<std::filesystem::path>& extra = {});

// The first of the entry's files that is in one of `folders`, with its row. An error says where it was looked for.
struct FoundModelFile {
  std::filesystem::path path;
  ModelEntry::File file;
};
Result<FoundModelFile> find_model_file(const ModelEntry& entry, const std::vector<std::filesystem::path>& folders);

// Folder for files that Fovea makes from others (models written to ONNX).
std::filesystem::path model_cache_folder();

}  // namespace fovea
