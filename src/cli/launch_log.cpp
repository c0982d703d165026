#include "cli/launch_log.h"

#include <fmt/chrono.h>

#include <cerrno>
#include <cstring>
#include <ctime>

namespace fovea::cli {
namespace {

namespace fs = std::filesystem;

Error cannot(const char* what, const fs::path& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG;
  return make_error(full ? ErrorCode::kResource : ErrorCode::kBadInput, "cannot {} {}: {}", what, path.string(),
                    std::strerror(error));
}

}  // namespace

std::string log_timestamp() { return fmt::format("{:%Y%m%d_%H%M%S}", fmt::localtime(std::time(nullptr))); }

Result<LaunchLog> LaunchLog::create(const fs::path& folder, const std::string& name, const Context& context) {
  std::error_code code;
  fs::create_directories(folder, code);
  if (code) return cannot("create the folder", folder, code.value());
  for (int attempt = 0; attempt < 1000; ++attempt) {
    fs::path path = folder / (name + (attempt ? fmt::format("_{}", attempt) : std::string()) + ".log");
    std::FILE* file = std::fopen(path.c_str(), "wxe");  // two launches in one second get a log each
    if (file) return LaunchLog(context, std::move(path), file);
    if (errno != EEXIST) return cannot("create", path, errno);
  }
  return make_error(ErrorCode::kResource, "{}: too many logs of this second", (folder / name).string());
}

Status LaunchLog::line(const std::string& text) {
  say(*context_, text + "\n");
  if (!context_->json) std::fflush(stdout);
  const std::string whole = text + "\n";
  if (std::fwrite(whole.data(), 1, whole.size(), file_.get()) != whole.size() || std::fflush(file_.get()) != 0)
    return cannot("write", path_, errno);
  return {};
}

fs::path LaunchLog::sibling(const std::string& ending) const {
  fs::path path = path_;
  return path.replace_extension(ending);
}

}  // namespace fovea::cli
