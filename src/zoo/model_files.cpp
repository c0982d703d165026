#include "zoo/model_files.h"

#include <algorithm>

namespace fovea {
namespace fs = std::filesystem;
namespace {

void add_folder(std::vector<fs::path>& folders, const fs::path& folder) {
  std::error_code failure;
  const fs::path real = fs::canonical(folder, failure);
  if (failure || !fs::is_directory(real, failure)) return;
  if (std::find(folders.begin(), folders.end(), real) == folders.end()) folders.push_back(real);
}

void add_folder_list(std::vector<fs::path>& folders, std::string_view list) {
  while (!list.empty()) {
    const std::size_t end = list.find(':');
    if (end != 0) add_folder(folders, list.substr(0, end));
    list.remove_prefix(end == std::string_view::npos ? list.size() : end + 1);
  }
}

}  // namespace

fs::path model_cache_folder() { return fs::path(knobs().cache_dir) / "models"; }

std::vector<fs::path> model_search_path(const std::vector<fs::path>& extra) {
  std::vector<fs::path> folders;
  for (const fs::path& folder : extra) add_folder(folders, folder);
  add_folder_list(folders, knobs().model_dir);
  if (!knobs().test_data.empty()) add_folder(folders, fs::path(knobs().test_data) / "models");
  add_folder(folders, model_cache_folder());
  add_folder(folders, fs::path("build") / "models");
  std::error_code failure;
  const fs::path program = fs::read_symlink("/proc/self/exe", failure);
  if (!failure) add_folder(folders, program.parent_path().parent_path() / "models");
  return folders;
}

Result<FoundModelFile> find_model_file(const ModelEntry& entry, const std::vector<fs::path>& folders) {
  for (const fs::path& folder : folders)
    for (const ModelEntry::File& file : entry.files) {
      std::error_code failure;
      if (fs::is_regular_file(folder / file.name, failure)) return FoundModelFile{folder / file.name, file};
    }
  std::string looked;
  for (const fs::path& folder : folders) looked += (looked.empty() ? "" : ", ") + folder.string();
  return bad_input("{} was not found in {}; set FOVEA_MODELS to the folder that holds it (source: {})",
                   entry.files.front().name, looked.empty() ? "any folder, as none exists" : looked, entry.source);
}

}  // namespace fovea
