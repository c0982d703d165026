// The options of every mlperf command that runs a benchmark, and opening one: model, data, rules, LoadGen.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "mlperf/run.h"

namespace fovea::cli {

struct MlperfOptions {
  std::vector<std::string> benchmarks, scenarios;
  std::string rules = "current", precision = "auto", tune = "off";
  std::string model, data, map, user_conf, logs, system, loadgen, sample_cache, response = "int32";
  std::string server_cores = "auto", server_order;  // empty: what the rules permit
  int threads = 0;
  std::size_t batch = 0;  // 0: by scenario
  double delay_ms = 0;
  bool quick = false;
  std::optional<double> min_duration_s, target_qps;
  std::optional<std::uint64_t> min_query_count, samples_per_query;
};

void add_mlperf_options(CLI::App& command, MlperfOptions& options);

// An opened benchmark with what its parts point to.
struct OpenBenchmark {
  std::unique_ptr<mlperf::RunHealth> health;
  mlperf::Benchmark benchmark;
};
Result<OpenBenchmark> open_benchmark(const MlperfOptions& options, const std::string& name);

Result<std::vector<mlperf::Scenario>> chosen_scenarios(const MlperfOptions& options);
// Of user.conf; nothing where none was given.
Result<std::optional<mlperf::ConfigFile>> read_user_conf(const MlperfOptions& options);
Result<mlperf::EffectiveSettings> settings_for(const MlperfOptions& options, const mlperf::Benchmark& benchmark,
                                               mlperf::Scenario scenario, mlperf::Mode mode);
Result<mlperf::SutOptions> sut_options(const MlperfOptions& options, const mlperf::Benchmark& benchmark,
                                       const mlperf::EffectiveSettings& settings);

// --logs, or build/logs/<now>; below it the system's folder.
std::filesystem::path system_folder(const MlperfOptions& options);

// Ctrl-C, and the end of the process where LoadGen does not come back after a failure.
mlperf::RunGuard run_guard(const Context& context);

// Steal time, other processes and the machine's speed before and after a test.
std::unique_ptr<mlperf::MachineWatch> machine_watch();

}  // namespace fovea::cli
