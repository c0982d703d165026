#include "mlperf/loadgen.h"

#include <dlfcn.h>

#include <condition_variable>
#include <thread>
#include <vector>

#include "base/knobs.h"
#include "mlperf/loadgen_module/module.h"

namespace fovea::mlperf {
namespace {

namespace fs = std::filesystem;

constexpr const char* kInstall =
    "install it with `python3 -m venv build/venv-loadgen && build/venv-loadgen/bin/pip install mlcommons-loadgen`, or "
    "name "
    "its environment with --loadgen or FOVEA_LOADGEN";

fs::path program_folder() {
  std::error_code failure;
  const fs::path program = fs::read_symlink("/proc/self/exe", failure);
  return failure ? fs::path() : program.parent_path();
}

bool holds_loadgen(const fs::path& folder) {
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder, failure))
    if (entry.path().filename().string().starts_with("mlperf_loadgen.")) return true;
  return false;
}

// The folder itself, or the site-packages of the environment that it is. Empty where neither holds a LoadGen.
fs::path packages_of(const fs::path& folder) {
  if (holds_loadgen(folder)) return folder;
  std::error_code failure;
  for (const auto& entry : fs::directory_iterator(folder / "lib", failure))
    if (entry.path().filename().string().starts_with("python") && holds_loadgen(entry.path() / "site-packages"))
      return entry.path() / "site-packages";
  return {};
}

Result<std::string> find_packages(const fs::path& wanted) {
  if (!wanted.empty()) {
    const fs::path found = packages_of(wanted);
    if (found.empty())
      return unsupported(
          "no LoadGen in {} (no mlperf_loadgen module there, nor in lib/python*/site-packages below it); {}",
          wanted.string(), kInstall);
    return fs::absolute(found).string();
  }
  for (const fs::path& folder : {program_folder() / "../venv-loadgen", fs::path("build/venv-loadgen")})
    if (const fs::path found = packages_of(folder); !found.empty()) return fs::weakly_canonical(found).string();
  return std::string();  // perhaps Python knows it by itself
}

Result<OpenLoadgen> load_module() {
  const fs::path folder = program_folder();
  std::string tried, problem;
  for (const char* place : {"../lib/fovea_loadgen.so", "../lib/fovea/fovea_loadgen.so", "fovea_loadgen.so"}) {
    const fs::path path = fs::weakly_canonical(folder / place);
    tried += (tried.empty() ? "" : ", ") + path.string();
    if (!fs::exists(path)) continue;
    void* module = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);  // global: Python's modules look for libpython
    if (module == nullptr) {
      problem = ::dlerror();
      continue;
    }
    if (void* entry = ::dlsym(module, FOVEA_LOADGEN_MODULE_ENTRY)) return reinterpret_cast<OpenLoadgen>(entry);
    problem = path.string() + " belongs to another version of Fovea";
  }
  if (!problem.empty()) return unsupported("cannot load Fovea's LoadGen module: {}", problem);
  return unsupported(
      "this build of Fovea has no LoadGen module (looked for {}); build it with pybind11-dev and python3-dev "
      "installed",
      tried);
}

}  // namespace

void RunHealth::fail(Error error) {
  const std::lock_guard lock(mutex_);
  if (error_) return;
  error_ = std::move(error);
  failed_.store(true, std::memory_order_release);
}

std::optional<Error> RunHealth::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

Result<std::unique_ptr<Loadgen>> open_loadgen(const fs::path& folder) {
  FOVEA_TRY(const std::string packages, find_packages(folder.empty() ? fs::path(knobs().loadgen_dir) : folder));
  FOVEA_TRY(const OpenLoadgen open, load_module());
  std::string problem;
  std::unique_ptr<Loadgen> loadgen(open(packages.c_str(), problem));
  if (!loadgen) {
    const bool absent = packages.empty() && problem.find("No module named") != std::string::npos;
    if (absent) return unsupported("MLPerf's LoadGen is not installed; {}", kInstall);
    return unsupported("LoadGen in {} cannot be used: {}; its Python must be of the version that Fovea was built with",
                       packages, problem.substr(0, problem.find('\n')));
  }
  return loadgen;
}

namespace {

// Watches for a failure or Ctrl-C beside a test, for as long as it lives.
class Watch {
 public:
  Watch(RunHealth& health, const RunGuard& guard) : thread_([this, &health, &guard] { watch(health, guard); }) {}
  ~Watch() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void watch(RunHealth& health, const RunGuard& guard) {
    double failed_for_s = 0;
    constexpr double kStep = 0.05;
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, std::chrono::duration<double>(kStep), [this] { return over_; })) {
      if (guard.stop && guard.stop->load() && !health.failed())
        health.fail(Error(ErrorCode::kInterrupted, "interrupted; this test has to be run again"));
      if (health.failed()) failed_for_s += kStep;
      if (failed_for_s > guard.patience_s && guard.give_up) guard.give_up(*health.error());
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace

Status run_test(Loadgen& loadgen, SystemUnderTest& sut, SampleLibrary& library, const TestSettings& settings,
                const LogSettings& log, RunHealth& health, const RunGuard& guard) {
  std::string refusal;
  {
    const Watch watch(health, guard);
    refusal = loadgen.run(sut, library, settings, log);
  }
  if (auto error = health.error()) return *std::move(error);
  if (!refusal.empty()) return bad_input("LoadGen: {}", refusal);
  return {};
}

}  // namespace fovea::mlperf
