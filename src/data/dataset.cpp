#include "data/dataset.h"

namespace fovea {

Result<DecodedImage> Dataset::load(std::int64_t index, const DecodeOptions& options) const {
  return decode_image_file(get(index).path, options);
}

Result<std::unique_ptr<Dataset>> open_dataset(const std::filesystem::path& folder,
                                              const std::filesystem::path& map_file, const Labels* labels) {
  return map_file.empty() ? open_image_folder(folder, labels) : open_map_file(map_file, folder);
}

}  // namespace fovea
