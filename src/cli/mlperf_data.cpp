#include "cli/mlperf_data.h"

#include <algorithm>

#include "mlperf/preprocessed.h"
#include "quant/calibration_list.h"

namespace fovea::cli {

Result<std::shared_ptr<const Dataset>> open_imagenet_map(const std::filesystem::path& data,
                                                         const std::filesystem::path& maps, bool calibration) {
  const auto map = maps / "imagenet" / (calibration ? "cal_map.txt" : "val_map.txt");
  const auto images = data / "imagenet";
  std::error_code ignored;
  if (!std::filesystem::is_directory(images, ignored))
    return bad_input("{}: no such folder: put the {} images there, or name their parent with --data_dir",
                     images.string(), calibration ? "calibration" : "validation");
  if (!std::filesystem::exists(map, ignored))
    return bad_input(
        "{}: no such file: write a line `{}` for every image there, or name the folder of maps with --map_dir",
        map.string(), calibration ? "file" : "file label");
  if (calibration) {
    FOVEA_TRY(std::shared_ptr<const Dataset> list, quant::open_calibration_list(map, images));
    return list;
  }
  FOVEA_TRY(std::shared_ptr<const Dataset> list, open_map_file(map, images));
  return list;
}

Result<std::optional<std::filesystem::path>> find_new_weights(const std::filesystem::path& models,
                                                              const std::string& benchmark) {
  FOVEA_TRY(const mlperf::PreprocessRule rule, mlperf::find_preprocess_rule(benchmark));
  const auto folder = models / rule.folder;
  std::vector<std::filesystem::path> found;
  std::error_code code;
  for (std::filesystem::directory_iterator at(folder, code), end; !code && at != end; at.increment(code)) {
    const std::string name = at->path().filename().string();
    if (name.ends_with(".onnx") || name.ends_with(".onnx.gz")) found.push_back(at->path());
  }
  std::ranges::sort(found);
  if (found.size() > 1)
    return bad_input("{}: expected one network, found {} and {}; name one with --model", folder.string(),
                     found[0].filename().string(), found[1].filename().string());
  return found.empty() ? std::optional<std::filesystem::path>{} : std::optional(found[0]);
}

Result<LoadedModel> load_new_weights(const std::filesystem::path& file, const std::string& benchmark) {
  FOVEA_TRY(const mlperf::PreprocessRule rule, mlperf::find_preprocess_rule(benchmark));
  FOVEA_TRY(LoadedModel model, load_model(file.string()));
  model.notices.push_back(fmt::format("{}: the network of {}", benchmark, file.string()));
  if (!model.from_catalogue && !model.preprocess_overrides.any()) {
    model.preprocess = rule.fp32;
    model.preprocess.layout = Layout::kChannelsLast;
  }
  return model;
}

std::vector<std::string> split_names(const std::vector<std::string>& lists) {
  std::vector<std::string> names;
  for (const std::string& list : lists)
    for (std::size_t begin = 0; begin <= list.size();) {
      const std::size_t end = std::min(list.find(',', begin), list.size());
      const std::string name = list.substr(begin, end - begin);
      if (!name.empty() && std::ranges::find(names, name) == names.end()) names.push_back(name);
      begin = end + 1;
    }
  return names;
}

}  // namespace fovea::cli
