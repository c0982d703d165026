// Where the data of MLPerf benchmarks lies, as the submissions' own instructions have it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "data/dataset.h"
#include "zoo/load_model.h"

namespace fovea::cli {

inline constexpr const char* kMlperfDataFolder = "build/data";
inline constexpr const char* kMlperfPreprocessedFolder = "build/preprocessed_data";
inline constexpr const char* kMlperfMapFolder = "data_maps";
inline constexpr const char* kMlperfModelFolder = "build/models";

// <maps>/imagenet/val_map.txt (lines "file label") or cal_map.txt (lines "file", with or without a label); files are
// relative to <data>/imagenet. The error says what to put where.
Result<std::shared_ptr<const Dataset>> open_imagenet_map(const std::filesystem::path& data,
                                                         const std::filesystem::path& maps, bool calibration);

// New weights for a benchmark: the only .onnx or .onnx.gz file of <models>/ResNet50, <models>/MobileNet or
// <models>/<model>. Nothing: there is none, and the catalogue's model is meant. An error: there are several.
Result<std::optional<std::filesystem::path>> find_new_weights(const std::filesystem::path& models,
                                                              const std::string& benchmark);

// Loads them, with a notice that they take the place of the catalogue's. A file that says nothing of its own
// pre-processing is fed as the benchmark's rules have it.
Result<LoadedModel> load_new_weights(const std::filesystem::path& file, const std::string& benchmark);

// "a,b" or several of them, in order and each once.
std::vector<std::string> split_names(const std::vector<std::string>& lists);

}  // namespace fovea::cli
