#include "data/dataset.h"

namespace fovea {

Result<std::unique_ptr<Dataset>> open_cifar10(const std::filesystem::path& folder, const std::string& split) {
  if (split != "test" && split != "train")
    return make_error(ErrorCode::kUsage, "cifar10: expected the split 'test' or 'train', found '{}'", split);
  return open_map_file(folder / (split + "_map.txt"), folder);
}

}  // namespace fovea
