#include "runtime/tuning_file.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/atomic_file.h"

namespace fovea {
namespace {

// Of the file's format and of what kernels do: raised when costs measured before no longer hold.
constexpr int kTuningVersion = 1;
constexpr std::uintmax_t kLargestFile = 64 << 20;

Error bad_file(const std::filesystem::path& path, const std::string& reason) {
  return Error(ErrorCode::kBadInput, fmt::format("tuning file {}: {}; it is not used", path.string(), reason));
}

Result<nlohmann::json> read_json(const std::filesystem::path& path) {
  std::error_code failure;
  const auto bytes = std::filesystem::file_size(path, failure);
  if (failure) return nlohmann::json{{"version", kTuningVersion}, {"sections", nlohmann::json::object()}};
  if (bytes > kLargestFile) return bad_file(path, fmt::format("{} bytes, more than {}", bytes, kLargestFile));
  std::ifstream file(path);
  if (!file) return bad_file(path, "cannot be opened");
  nlohmann::json json = nlohmann::json::parse(file, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return bad_file(path, "is no JSON object");
  if (!json.contains("version") || json["version"] != kTuningVersion)
    return bad_file(path, fmt::format("is not of version {}", kTuningVersion));
  if (!json.contains("sections") || !json["sections"].is_object()) return bad_file(path, "has no sections");
  return json;
}

}  // namespace

std::string tuning_section(const CpuFeatures& cpu, int threads) {
  return fmt::format("{} family {} model {}, {}, {} thread(s)", cpu.brand, cpu.family, cpu.model, isa_name(cpu.best()),
                     threads);
}

Result<MeasuredCosts> read_tuning(const std::filesystem::path& path, const std::string& section) {
  FOVEA_TRY(const nlohmann::json json, read_json(path));
  MeasuredCosts costs;
  const auto found = json["sections"].find(section);
  if (found == json["sections"].end()) return costs;
  if (!found->is_object()) return bad_file(path, fmt::format("section '{}' is no object", section));
  for (const auto& [key, tactics] : found->items()) {
    if (!tactics.is_object()) return bad_file(path, fmt::format("entry '{}' is no object", key));
    for (const auto& [tactic, us] : tactics.items()) {
      if (!us.is_number() || !(us.get<double>() > 0) || !std::isfinite(us.get<double>()))
        return bad_file(path,
                        fmt::format("entry '{}', tactic {}: expected microseconds, found {}", key, tactic, us.dump()));
      costs[key][tactic] = us.get<double>();
    }
  }
  return costs;
}

Status add_tuning(const std::filesystem::path& path, const std::string& section, const MeasuredCosts& costs) {
  auto read = read_json(path);
  nlohmann::json json = read.ok() ? std::move(read).value() : nlohmann::json{{"version", kTuningVersion}};
  nlohmann::json& entries = json["sections"][section];
  if (!entries.is_object()) entries = nlohmann::json::object();
  for (const auto& [key, tactics] : costs)
    for (const auto& [tactic, us] : tactics) {
      if (!entries[key].is_object()) entries[key] = nlohmann::json::object();
      entries[key][tactic] = us;
    }
  std::error_code failure;
  std::filesystem::create_directories(path.parent_path(), failure);
  return write_file_atomically(path, json.dump(1) + "\n");
}

}  // namespace fovea
