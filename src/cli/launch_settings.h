// LaunchSettings: what `fovea launch` was asked for, in the options of Intel's launch_benchmark.py.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/model_options.h"
#include "measure/cores.h"

namespace fovea::cli {

inline constexpr int kDefaultSteps = 50, kDefaultWarmUpSteps = 10;
inline constexpr std::int64_t kDefaultBatch = 128;

// The words of --precision, and what they stand for here.
struct LaunchPrecision {
  const char* name;
  Precision compute;
  // AMX: where it is faster, never, or always (of this kind). kFp32 on kBf16 tiles is what Intel calls bfloat32: data
  // in f32, factors rounded to bf16, sums in f32.
  enum class Tiles { kAny, kNone, kInt8, kBf16 } tiles;
};
std::span<const LaunchPrecision> launch_precisions();
// Usage error for an unknown name; unsupported, naming the feature, where the CPU lacks it.
Result<LaunchPrecision> find_launch_precision(const std::string& name, const CpuFeatures& cpu);
// What `cpu` lacks for it: empty if nothing.
std::string missing_for(const LaunchPrecision& precision, const CpuFeatures& cpu);
// How a network is planned for it on a CPU that has what it needs.
PlanOptions plan_options_for(const LaunchPrecision& precision, const CpuFeatures& cpu);

struct LaunchSettings {
  std::string framework, docker_image;  // accepted, answered in a line
  std::string model_name = "resnet50v1_5", precision, mode;
  std::int64_t batch = kDefaultBatch;
  std::string in_graph, data_location, map;
  bool accuracy_only = false, benchmark_only = false, output_results = false;
  std::string output_dir = "logs";
  int num_cores = -1, socket_id = -1, intra_threads = 0, inter_threads = 0, num_instances = 1;
  std::string numa_cores_per_instance;  // empty, a number, or "socket"
  bool weight_sharing = false, dry_run = false, verbose = false;
  std::vector<std::string> model_arguments;  // behind "--": steps=, warmup_steps=
  int steps = kDefaultSteps, warm_up_steps = kDefaultWarmUpSteps;
  std::int64_t limit = -1;
  ModelOptions model;  // how images are prepared
  std::string tune = "off";
  std::string checkpoint, mpi_processes, mpi_per_socket;  // of training
  std::string case_name;                                  // of a workload; goes into the record

  // "resnet50v1_5_int8_inference": what file names are made of.
  std::string run_name() const { return model_name + "_" + precision + "_" + mode; }
  CoreRequest core_request() const;
  // The settings in the words of the command line, for records and logs.
  std::vector<std::pair<std::string, std::string>> listed() const;
  std::string command_text() const;
};

void add_launch_options(CLI::App& command, LaunchSettings& settings);

// Reads what stands behind "--" and checks everything that can be checked without the model. Errors are usage errors in
// the options' words, or say what this version or this CPU lacks.
Status check_settings(LaunchSettings& settings);

}  // namespace fovea::cli
