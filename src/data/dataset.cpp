#include "data/dataset.h"

#include "data/text_lines.h"

namespace fovea {
namespace {

constexpr std::size_t kMaxEncodedBytes = 256u << 20;

}  // namespace

Result<DecodedImage> Dataset::load(std::int64_t index, const DecodeOptions& options) const {
  return decode_image_file(get(index).path, options);
}

Result<std::vector<std::byte>> Dataset::read(std::int64_t index) const {
  FOVEA_TRY(const std::string bytes, read_text_file(get(index).path, kMaxEncodedBytes));
  const auto* from = reinterpret_cast<const std::byte*>(bytes.data());
  return std::vector<std::byte>(from, from + bytes.size());
}

Result<std::unique_ptr<Dataset>> open_dataset(const std::filesystem::path& folder,
                                              const std::filesystem::path& map_file, const Labels* labels) {
  if (!map_file.empty()) return open_map_file(map_file, folder);
  std::error_code code;
  const bool is_file = std::filesystem::is_regular_file(folder, code);
  if (is_file || holds_tfrecords(folder)) return open_tfrecords(folder);
  return open_image_folder(folder, labels);
}

}  // namespace fovea
