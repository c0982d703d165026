#include <algorithm>

#include "data/dataset_list.h"

namespace fovea {
namespace {

namespace fs = std::filesystem;

bool has_image_extension(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".jpe" || extension == ".png";
}

struct Entries {
  std::vector<fs::path> images;
  std::vector<fs::path> folders;
};

// Sorted by the bytes of the names; hidden entries left out.
Result<Entries> list(const fs::path& folder) {
  std::error_code code;
  Entries entries;
  fs::directory_iterator walk(folder, code);
  for (; !code && walk != fs::directory_iterator(); walk.increment(code)) {
    const fs::path& path = walk->path();
    if (path.filename().native().starts_with('.')) continue;
    std::error_code ignored;
    if (walk->is_directory(ignored))
      entries.folders.push_back(path);
    else if (has_image_extension(path))
      entries.images.push_back(path);
  }
  if (code) return bad_input("folder {}: cannot be read: {}", folder.string(), code.message());
  const auto by_bytes = [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); };
  std::sort(entries.images.begin(), entries.images.end(), by_bytes);
  std::sort(entries.folders.begin(), entries.folders.end(), by_bytes);
  return entries;
}

bool has_ids(const Labels* labels) {
  return labels != nullptr &&
         std::any_of(labels->ids.begin(), labels->ids.end(), [](const std::string& id) { return !id.empty(); });
}

}  // namespace

Result<std::unique_ptr<Dataset>> open_image_folder(const fs::path& folder, const Labels* labels) {
  std::error_code code;
  if (!fs::is_directory(folder, code)) return bad_input("folder {}: no such folder", folder.string());
  FOVEA_TRY(const Entries top, list(folder));
  std::vector<DatasetSample> samples;
  for (const fs::path& image : top.images) samples.push_back({image, kNoLabel});
  int rank = 0;
  for (const fs::path& class_folder : top.folders) {
    FOVEA_TRY(const Entries inside, list(class_folder));
    if (inside.images.empty()) continue;
    if (!top.images.empty())
      return bad_input("folder {}: has images both directly ({}) and in sub-folders ({}); expected one or the other",
                       folder.string(), top.images.front().filename().string(), class_folder.filename().string());
    int label = rank++;
    if (has_ids(labels)) {
      const auto known = labels->index_of_id(class_folder.filename().string());
      if (!known)
        return bad_input("folder {}: the labels have no class with the id '{}'", folder.string(),
                         class_folder.filename().string());
      label = *known;
    }
    for (const fs::path& image : inside.images) samples.push_back({image, label});
  }
  if (samples.empty())
    return bad_input("folder {}: no .jpg, .jpeg or .png file in it or in its sub-folders", folder.string());
  return std::unique_ptr<Dataset>(std::make_unique<ListDataset>(folder.filename().string(), std::move(samples)));
}

}  // namespace fovea
