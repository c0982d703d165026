#include "mlperf/package_logs.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "mlperf/check_log.h"
#include "mlperf/check_parts.h"

namespace fovea::mlperf {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxDepth = 6;

bool is_run(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / "mlperf_log_detail.txt", ignored);
}

void find_scenarios_below(const fs::path& folder, int depth, std::vector<fs::path>& found) {
  const Listing listing = list_folder(folder);
  const bool has_runs = std::ranges::any_of(listing.folders, [](const std::string& name) {
    return name == "performance" || name == "accuracy" || name == "accuracy.incomplete" || name.starts_with("TEST");
  });
  if (!canonical_scenario(folder.filename().string()).empty() && has_runs) found.push_back(folder);
  if (depth == 0) return;
  for (const std::string& name : listing.folders) {
    std::error_code ignored;
    if (!fs::is_symlink(folder / name, ignored)) find_scenarios_below(folder / name, depth - 1, found);
  }
}

std::string system_of(const fs::path& scenario) { return scenario.parent_path().parent_path().filename().string(); }

Result<std::string> choose_system(const std::set<std::string>& systems, const std::string& system,
                                  const std::string& preferred) {
  if (!system.empty()) {
    if (systems.contains(system)) return system;
    return bad_input("no logs of the system '{}', only of {}", system, fmt::join(systems, ", "));
  }
  if (systems.contains(preferred)) return preferred;
  if (systems.size() == 1) return *systems.begin();
  return make_error(ErrorCode::kUsage, "logs of several systems: {}; name one with --log-system",
                    fmt::join(systems, ", "));
}

// Runs that came to their end.
class Collector {
 public:
  explicit Collector(LoggedRuns& runs) : runs_(runs) {}

  // The newest folders come first, so what is there already stays.
  void add(const fs::path& folder, LoggedScenario& scenario) {
    scenario.folders.push_back(folder);
    if (scenario.performance.empty()) scenario.performance = performance_runs(folder / "performance");
    if (scenario.accuracy.empty() && is_complete(folder / "accuracy", false)) scenario.accuracy = folder / "accuracy";
    for (const std::string& name : list_folder(folder).folders) {
      if (name.ends_with(".incomplete")) runs_.unfinished.push_back((folder / name).string());
      if (!name.starts_with("TEST") || name.ends_with(".incomplete")) continue;
      if (is_complete(folder / name / "performance" / "run_1", true)) scenario.audits.emplace(name, folder / name);
    }
  }

 private:
  std::vector<fs::path> performance_runs(const fs::path& folder) {
    if (is_complete(folder, true)) return {folder};
    std::vector<fs::path> runs;
    for (int i = 1; is_run(folder / fmt::format("run_{}", i)); ++i)
      if (is_complete(folder / fmt::format("run_{}", i), true)) runs.push_back(folder / fmt::format("run_{}", i));
    return runs;
  }

  bool is_complete(const fs::path& folder, bool performance) {
    if (!is_run(folder)) return false;
    const auto log = read_run_log(folder);
    if (log.ok() && !is_unfinished(*log, performance)) return true;
    runs_.unfinished.push_back(folder.string());
    return false;
  }

  LoggedRuns& runs_;
};

}  // namespace

std::vector<fs::path> scenario_folders(const fs::path& root) {
  std::vector<fs::path> found;
  fs::path folder = root.lexically_normal();
  if (!folder.has_filename()) folder = folder.parent_path();  // "logs/"
  find_scenarios_below(folder, kMaxDepth, found);
  return found;
}

Result<LoggedRuns> find_logged_runs(const fs::path& logs, const std::string& system, const std::string& preferred) {
  std::error_code code;
  if (!fs::is_directory(logs, code)) return bad_input("{}: no such folder", logs.string());
  std::vector<fs::path> folders = scenario_folders(logs);
  std::set<std::string> systems;
  for (const fs::path& folder : folders) systems.insert(system_of(folder));
  if (systems.empty())
    return bad_input("{}: no logs of MLPerf runs (<system>/<benchmark>/<scenario>/performance, accuracy)",
                     logs.string());
  LoggedRuns runs;
  FOVEA_TRY(runs.system, choose_system(systems, system, preferred));
  std::ranges::sort(folders, std::greater{});
  Collector collector(runs);
  for (const fs::path& folder : folders)
    if (system_of(folder) == runs.system)
      collector.add(
          folder,
          runs.scenarios[{folder.parent_path().filename().string(), canonical_scenario(folder.filename().string())}]);
  return runs;
}

}  // namespace fovea::mlperf
