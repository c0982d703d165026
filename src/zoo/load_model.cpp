#include "zoo/load_model.h"

#include <algorithm>

#include "base/sha256.h"
#include "import/onnx/import_onnx.h"
#include "import/tensorflow/import_tensorflow.h"
#include "zoo/catalogue.h"
#include "zoo/checkpoint_model.h"
#include "zoo/classification.h"
#include "zoo/model_files.h"
#include "zoo/networks.h"

namespace fovea {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kAssumedPreset = "pil";

Status take_file(const fs::path& path, const std::string& wanted_sha256, LoadedModel& model) {
  FOVEA_TRY(const std::string sha256, sha256_hex_of_file(path));
  if (sha256 != wanted_sha256)
    return bad_input("{}: its SHA-256 is {}, but the catalogue has {} for {}", path.string(), sha256, wanted_sha256,
                     model.entry.name);
  if (is_checkpoint_file(path.filename().string())) {
    FOVEA_TRY(ConvertedModel converted, convert_checkpoint(model.entry, path, sha256));
    model.graph = std::move(converted.graph);
    model.path = converted.path;
    model.sha256 = converted.sha256;
    return {};
  }
  FOVEA_TRY(model.graph, import_onnx(path));
  model.path = path;
  model.sha256 = sha256;
  return {};
}

Status take_synthetic(const LoadOptions& options, LoadedModel& model) {
  const NetworkSpec* network = find_network(model.entry.network);
  if (!network) return unsupported("model '{}' cannot be built with synthetic weights", model.entry.name);
  SyntheticWeights weights(options.seed);
  FOVEA_TRY(model.graph, network->build(weights));
  model.synthetic = true;
  model.seed = options.seed;
  model.notices.push_back(fmt::format("{} has synthetic weights (seed {}): its speed is real, its answers mean nothing",
                                      model.entry.name, options.seed));
  return {};
}

Status take_catalogue_model(const LoadOptions& options, LoadedModel& model) {
  using Synthetic = LoadOptions::Synthetic;
  if (options.synthetic == Synthetic::kAlways) return take_synthetic(options, model);
  const std::vector<fs::path> folders = model_search_path(options.folders);
  if (is_checkpoint_file(model.entry.files.front().name)) {
    FOVEA_TRY(std::optional<ConvertedModel> converted, find_converted(model.entry, folders));
    if (converted) {
      model.graph = std::move(converted->graph);
      model.path = converted->path;
      model.sha256 = converted->sha256;
      return {};
    }
  }
  auto found = find_model_file(model.entry, folders);
  if (found.ok()) return take_file(found->path, found->file.sha256, model);
  const bool buildable = find_network(model.entry.network) != nullptr;
  if (buildable && options.synthetic == Synthetic::kIfMissing) return take_synthetic(options, model);
  return std::move(found).error();
}

// What the graph itself tells about a model that is not in the catalogue.
Status describe_file(const fs::path& path, LoadedModel& model) {
  ModelEntry& entry = model.entry;
  std::string name = path.filename().string();
  for (const std::string_view ending : {".gz", ".onnx", ".pb"})
    if (name.ends_with(ending)) name.resize(name.size() - ending.size());
  entry.name = name;
  entry.description = "the file " + path.string();
  entry.licence = "unknown";
  entry.precision = "unknown";
  FOVEA_TRY(entry.preprocess, find_preprocess(kAssumedPreset));
  const Graph& graph = model.graph;
  if (graph.inputs().empty() || graph.outputs().empty()) return {};
  const Value& input = graph.value(graph.inputs().front());
  entry.input.name = input.name;
  const Shape& shape = input.type.shape;
  if (shape.rank() != 4 || shape[1].extent() != 3) {
    model.notices.push_back(fmt::format("input '{}' is {}, not an image [N,3,H,W]: images cannot be classified with it",
                                        input.name, input.type.text()));
    return {};
  }
  entry.input.height = shape[2].is_fixed() ? static_cast<int>(shape[2].extent()) : 224;
  entry.input.width = shape[3].is_fixed() ? static_cast<int>(shape[3].extent()) : 224;
  entry.preprocess = fit_to_input(entry.preprocess, {entry.input.width, entry.input.height});
  const Shape& scores = graph.value(graph.outputs().front().value).type.shape;
  if (scores.rank() >= 2 && scores[1].is_fixed()) entry.classes = static_cast<int>(scores[1].extent());
  if (entry.classes == 1000 || entry.classes == 1001) {
    entry.labels = "imagenet1000";
    entry.label_offset = entry.classes - 1000;
    model.notices.push_back(fmt::format("{} outputs: taken for the ImageNet classes{}", entry.classes,
                                        entry.label_offset ? " after a background class" : ""));
  }
  return {};
}

// A GraphDef of a classifier often ends in its scores and in the class that ArgMax finds in them: the scores are taken.
Result<Graph> import_graph_def(const fs::path& path, const LoadOptions& options, LoadedModel& model) {
  TensorflowOptions import{.input_nodes = options.input_nodes, .output_nodes = options.output_nodes};
  FOVEA_TRY(Graph graph, import_tensorflow(path, import));
  const auto is_scores = [&](const GraphOutput& output) { return is_float(graph.value(output.value).type.dtype); };
  const auto& outputs = graph.outputs();
  if (!import.output_nodes.empty() || outputs.size() < 2 || std::count_if(outputs.begin(), outputs.end(), is_scores) != 1)
    return graph;
  std::vector<std::string> left_out;
  for (const GraphOutput& output : outputs)
    (is_scores(output) ? import.output_nodes : left_out).push_back(output.name);
  model.notices.push_back(fmt::format("output {} is left out; --output-nodes names what is wanted",
                                      fmt::join(left_out, ", ")));
  return import_tensorflow(path, import);
}

Status take_path(const fs::path& path, const LoadOptions& options, LoadedModel& model) {
  FOVEA_TRY(const std::string sha256, sha256_hex_of_file(path));
  if (const ModelEntry* known = find_model_by_hash(sha256)) {
    model.entry = *known;
    model.from_catalogue = true;
    return take_file(path, sha256, model);
  }
  if (is_checkpoint_file(path.filename().string()))
    return unsupported("{}: a checkpoint holds weights without a network, and this one is not in the catalogue",
                       path.string());
  if (is_tensorflow_file(path.filename().string())) {
    FOVEA_TRY(model.graph, import_graph_def(path, options, model));
  } else {
    FOVEA_TRY(model.graph, import_onnx(path));
  }
  model.path = path;
  model.sha256 = sha256;
  const auto name = model.graph.metadata.find(std::string(kModelMetadata));
  const ModelEntry* converted = name == model.graph.metadata.end() ? nullptr : find_model(name->second);
  if (!converted) return describe_file(path, model);
  model.entry = *converted;
  model.from_catalogue = true;
  return {};
}

// What the options say and, where they say nothing, what the file says of itself.
Result<PreprocessOverrides> merged_overrides(const LoadOptions& options, const LoadedModel& model) {
  const auto stored = model.graph.metadata.find(std::string(kPreprocessMetadata));
  if (stored == model.graph.metadata.end() || options.preprocess.preset) return options.preprocess;
  auto merged = parse_preprocess_overrides(stored->second);
  if (!merged.ok()) return std::move(merged).error().within(fmt::format("metadata {}", kPreprocessMetadata));
  const auto take = [](auto& target, const auto& given) {
    if (given) target = given;
  };
  take(merged->resize, options.preprocess.resize);
  take(merged->crop, options.preprocess.crop);
  take(merged->interpolation, options.preprocess.interpolation);
  take(merged->mean, options.preprocess.mean);
  take(merged->std, options.preprocess.std);
  take(merged->channel_order, options.preprocess.channel_order);
  return merged;
}

Status apply_options(const LoadOptions& options, LoadedModel& model) {
  const ModelEntry& entry = model.entry;
  FOVEA_TRY(model.preprocess_overrides, merged_overrides(options, model));
  const PreprocessOverrides& overrides = model.preprocess_overrides;
  auto preprocess = apply_overrides(entry.preprocess, overrides);
  if (!preprocess.ok()) return std::move(preprocess).error().within("model " + entry.name);
  model.preprocess = std::move(preprocess).value();
  const ImageSize input{entry.input.width, entry.input.height};
  const bool sizes_given = overrides.crop || overrides.resize;
  if (input.height > 0 && !sizes_given) model.preprocess = fit_to_input(model.preprocess, input);
  // Sizes that the user gave are kept; what they make is then brought to the network's input.
  if (input.height > 0 && sizes_given && output_size(model.preprocess) != input) model.preprocess.final_size = input;
  if (!model.from_catalogue && !overrides.any() && entry.input.height > 0)
    model.notices.push_back(fmt::format("pre-processing '{}' is assumed; see --preprocess", kAssumedPreset));
  model.label_offset = options.label_offset.value_or(entry.label_offset);
  if (model.label_offset < 0 || (entry.classes > 0 && model.label_offset >= entry.classes))
    return make_error(ErrorCode::kUsage, "label offset {}: {} has {} outputs", model.label_offset, entry.name,
                      entry.classes);
  if (options.labels_file) {
    FOVEA_TRY(model.labels, read_labels(*options.labels_file));
  } else if (const Labels* labels = embedded_labels(entry.labels)) {
    model.labels = *labels;
  }
  const int classes = entry.classes - model.label_offset;
  if (model.labels.size() > 0 && entry.classes > 0 && static_cast<int>(model.labels.size()) != classes) {
    if (options.labels_file)
      return make_error(ErrorCode::kUsage, "labels file {}: {} names, but {} has {} classes",
                        options.labels_file->string(), model.labels.size(), entry.name, classes);
    model.notices.push_back(
        fmt::format("no names for classes: {} classes, but {} labels", classes, model.labels.size()));
    model.labels = {};
  }
  model.probabilities = outputs_probabilities(model.graph);
  return {};
}

bool looks_like_path(const std::string& text) {
  return text.find('/') != std::string::npos || text.ends_with(".onnx") || text.ends_with(".onnx.gz") ||
         is_tensorflow_file(text) || is_checkpoint_file(text);
}

Error unknown_model(const std::string& name) {
  return make_error(
      ErrorCode::kUsage,
      "unknown model '{}'{} Known names are listed by `fovea models`; a path to an .onnx, .onnx.gz or .pb "
      "file works too",
      name, suggest_model(name).empty() ? "." : suggest_model(name));
}

}  // namespace

Result<LoadedModel> load_model(const std::string& name_or_path, const LoadOptions& options) {
  LoadedModel model;
  std::error_code failure;
  if ((!options.input_nodes.empty() || !options.output_nodes.empty()) && !is_tensorflow_file(name_or_path))
    return make_error(ErrorCode::kUsage, "{}: input and output nodes are named in TensorFlow graphs (.pb) only",
                      name_or_path);
  if (const ModelEntry* entry = find_model(name_or_path)) {
    model.entry = *entry;
    model.from_catalogue = true;
    auto status = take_catalogue_model(options, model);
    if (!status.ok()) return std::move(status).error().within(fmt::format("model '{}'", entry->name));
  } else if (looks_like_path(name_or_path) || fs::is_regular_file(name_or_path, failure)) {
    FOVEA_RETURN_IF_ERROR(take_path(name_or_path, options, model));
  } else {
    return unknown_model(name_or_path);
  }
  FOVEA_RETURN_IF_ERROR(apply_options(options, model));
  return model;
}

}  // namespace fovea
