#include "quant/state_file.h"

#include <fstream>

#include "base/atomic_file.h"

namespace fovea::quant {
namespace {

namespace fs = std::filesystem;
constexpr std::uintmax_t kMaxBytes = 1u << 30;

}  // namespace

Status write_state(const fs::path& path, const nlohmann::json& state) {
  return write_file_atomically(path, state.dump());
}

Result<std::optional<nlohmann::json>> read_state(const fs::path& path) {
  using Found = std::optional<nlohmann::json>;
  std::error_code code;
  const auto bytes = fs::file_size(path, code);
  if (code == std::errc::no_such_file_or_directory) return Found();
  if (code) return bad_input("it cannot be read: {}", code.message());
  if (bytes > kMaxBytes) return make_error(ErrorCode::kResource, "{} bytes are too many", bytes);
  std::ifstream file(path, std::ios::binary);
  auto state = nlohmann::json::parse(file, nullptr, false);
  if (!state.is_object()) return bad_input("it is no state of a calibration");
  return Found(std::move(state));
}

void remove_state(const fs::path& path) {
  std::error_code ignored;
  fs::remove(path, ignored);
}

}  // namespace fovea::quant
