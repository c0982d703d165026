// RunRecord: one measured run (speed, accuracy or both) as plain data, and its JSON; every report is a rendering of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace fovea {

// Names the format in "schema" (docs/run_record.schema.json). Keys may be added under the same name.
inline constexpr std::string_view kRunRecordSchema = "fovea-run-record-1";

enum class RunKind { kLaunch, kWorkload, kBench, kEval, kMlperf, kSweep };
enum class InstanceState { kFinished, kDied, kInterrupted };
enum class NoiseState { kQuiet, kNoisy, kUnknown };
// Valid: all of what was asked for, believable. Partial: stopped early, what is there is right. Invalid: do not use.
enum class RunState { kValid, kPartial, kInvalid };

const char* run_kind_name(RunKind kind);               // "launch", "workload", "bench", "eval", "mlperf", "sweep"
const char* instance_state_name(InstanceState state);  // "finished", "died", "interrupted"
const char* noise_state_name(NoiseState state);        // "quiet", "noisy", "unknown"
const char* run_state_name(RunState state);            // "valid", "partial", "invalid"

// Milliseconds of one run of one batch. Quantiles are samples themselves, at rank ceil(q n); p99 and p99.9 are absent
// where the samples are too few to bound them. The interval is the distribution-free 95 % one of the median.
struct LatencySummary {
  std::int64_t count = 0;
  double mean = 0, min = 0, max = 0, p50 = 0, p90 = 0;
  std::optional<double> p99, p999;
  std::optional<double> median_low, median_high;
  double coefficient_of_variation = 0;
};

struct RunModel {
  std::string name;
  std::string file;        // empty for synthetic weights
  std::string sha256;      // of the file
  std::string precision;   // "fp32", "bf16", "int8", "int8-bf16"
  bool synthetic = false;  // random weights: the answers mean nothing
  double macs = 0;         // multiply-accumulates of one image
};

struct RunData {
  std::string name;         // "dummy" or what the data set calls itself
  std::string path;         // folder, shards or map file; mistakes' files are relative to the working directory
  std::string sha256;       // of the manifest (names, sizes, labels); empty where none was made
  std::int64_t images = 0;  // in the set
};

struct RunInstance {
  int index = 0;
  std::vector<int> cores;  // processors as the operating system numbers them
  int numa_node = -1;      // -1: unknown or several
  InstanceState state = InstanceState::kFinished;
  int exit = 0;  // exit status of its process, negative: the signal that ended it
  std::int64_t images = 0;
  double seconds = 0;
  double images_per_s = 0;
  LatencySummary latency_ms;
  std::vector<double> samples_ms;  // in order; may be left out
};

struct RunMistake {  // an image whose best class was another one
  std::string file;
  int actual = 0, predicted = 0;
  std::string actual_name, predicted_name;  // empty where the classes have no names
  double probability = 0;                   // of the predicted class, 0…1
};

struct RunAccuracy {
  double top1 = 0, top5 = 0;  // percent of `images`
  std::int64_t images = 0;    // labelled and classified
  std::int64_t failed = 0;    // could not be read
  std::int64_t unlabelled = 0;
  std::vector<RunMistake> mistakes;
};

struct RunLayer {
  std::string name, op, tactic;
  double ms = 0;               // median, of the whole batch
  double macs = 0, bytes = 0;  // of the whole batch
  double percent_of_peak = 0;  // of the nearer roof
  std::string bound;           // "compute", "L2", "DRAM"
};

struct RunPeak {  // measured in this run; 0 where the CPU has no such instructions
  int threads = 1;
  double fp32_gmacs = 0, bf16_gmacs = 0, int8_gmacs = 0;  // 1e9 multiply-accumulates a second
  double memory_gbytes = 0, l2_gbytes = 0;                // read, 1e9 bytes a second
};

struct RunNoise {
  NoiseState state = NoiseState::kUnknown;
  std::vector<std::string> reasons;
  double steal_percent = 0;
  std::int64_t voluntary_switches = 0, involuntary_switches = 0;
  std::optional<double> clock_before_mhz, clock_after_mhz;  // absent where the system does not tell
  double peak_change_percent = 0;                           // of the fp32 peak, before to after
  std::optional<double> other_load_percent;                 // processor time of other processes
  std::int64_t throttled = 0;                               // times that the cgroup's quota stopped the run
};

struct RunMemory {                                         // bytes
  std::int64_t peak_resident = 0, weights = 0, arena = 0;  // arena: of one instance
};

struct RunEnergy {
  std::optional<double> joules, watts;  // of the packages, whole machine
  std::string absent_because;           // set where there is no reading
};

struct RunVerdict {
  RunState state = RunState::kValid;
  std::vector<std::string> reasons;
};

struct RunPoint {  // one setting of a sweep
  std::int64_t batch = 1;
  int instances = 1, cores_per_instance = 1;
  std::string precision;
  double images_per_s = 0;
  LatencySummary latency_ms;
  RunState state = RunState::kValid;
};

struct RunRecord {
  RunKind kind = RunKind::kBench;
  std::string name;                                           // of the case ("test_resnet50…"), or empty
  std::vector<std::pair<std::string, std::string>> settings;  // in the order to show
  std::vector<std::string> command;
  std::string started_utc;
  nlohmann::json tool = nlohmann::json::object();     // name, version, compiler
  nlohmann::json machine = nlohmann::json::object();  // describe_machine()
  RunModel model;
  RunData data;
  std::int64_t batch = 1;
  int threads_per_instance = 1;
  std::vector<RunInstance> instances;
  std::int64_t warm_up_runs = 0;
  std::int64_t images = 0;
  double seconds = 0;       // measured time, warm-up excluded
  double images_per_s = 0;  // all instances together
  std::optional<double> percent_of_peak;
  LatencySummary latency_ms;  // of all instances' samples together
  std::optional<RunAccuracy> accuracy;
  std::vector<RunLayer> layers;
  std::optional<RunPeak> peak;
  RunNoise noise;
  RunMemory memory;
  RunEnergy energy;
  RunVerdict verdict;
  std::vector<RunPoint> points;  // of a sweep
};

// A record with tool, machine, command and time filled in.
RunRecord start_run_record(RunKind kind, const std::vector<std::string>& command);

// Marks the record down to `state`, never up, and adds the reason.
void mark(RunRecord& record, RunState state, std::string reason);

nlohmann::json to_json(const RunRecord& record);
// Errors name the key, what was expected and what was found: "instances[2].state: expected …, found …". Unknown keys
// are passed over.
Result<RunRecord> parse_run_record(std::string_view json);

// Errors name the file.
Result<RunRecord> read_run_record(const std::filesystem::path& path);
Status write_run_record(const std::filesystem::path& path, const RunRecord& record);

}  // namespace fovea
