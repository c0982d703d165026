#include "cli/mlperf_data.h"

#include <algorithm>

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
