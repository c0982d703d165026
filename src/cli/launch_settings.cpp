#include "cli/launch_settings.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "base/suggest.h"

namespace fovea::cli {
namespace {

using Tiles = LaunchPrecision::Tiles;

// The first three are launch_benchmark.py's, the others those of Intel's workload.
constexpr LaunchPrecision kPrecisions[] = {
    {"fp32", Precision::kFp32, Tiles::kAny},          {"int8", Precision::kInt8, Tiles::kAny},
    {"bfloat16", Precision::kBf16, Tiles::kAny},      {"avx_fp32", Precision::kFp32, Tiles::kNone},
    {"avx_int8", Precision::kInt8, Tiles::kNone},     {"avx_bfloat16", Precision::kBf16, Tiles::kNone},
    {"amx_int8", Precision::kInt8, Tiles::kInt8},     {"amx_bfloat16", Precision::kBf16, Tiles::kBf16},
    {"amx_bfloat32", Precision::kFp32, Tiles::kBf16},
};

template <class... Args>
Error usage(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorCode::kUsage, fmt::format(format, std::forward<Args>(args)...));
}

Result<int> positive(const std::string& option, const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0)
    return usage("{}: expected a number, found '{}'", option, text);
  return value;
}

Status read_model_arguments(LaunchSettings& s) {
  for (const std::string& argument : s.model_arguments) {
    const auto equals = argument.find('=');
    if (equals == std::string::npos) return usage("'{}': expected name=value behind --, such as steps=50", argument);
    std::string name = argument.substr(argument.find_first_not_of('-'), equals - argument.find_first_not_of('-'));
    std::replace(name.begin(), name.end(), '-', '_');
    if (name != "steps" && name != "warmup_steps")
      return usage("'{}': a model takes steps= and warmup_steps= here{}", name,
                   did_you_mean(name, std::vector<std::string>{"steps", "warmup_steps"}));
    FOVEA_TRY(const int value, positive(name, argument.substr(equals + 1)));
    (name == "steps" ? s.steps : s.warm_up_steps) = value;
  }
  if (s.steps < 1) return usage("steps={}: expected at least one", s.steps);
  if (s.warm_up_steps >= s.steps && !s.accuracy_only)
    return usage("warmup_steps={} of steps={}: no step would be measured", s.warm_up_steps, s.steps);
  return {};
}

Status check_cores(const LaunchSettings& s) {
  if (s.num_cores == 0 || s.num_cores < -1) return usage("--num-cores {}: expected at least one", s.num_cores);
  const std::string& n = s.numa_cores_per_instance;
  if (!n.empty() && n != "socket") {
    FOVEA_TRY(const int cores, positive("--numa-cores-per-instance", n));
    if (cores == 0) return usage("--numa-cores-per-instance 0: expected a number of cores, or 'socket'");
  }
  if (s.inter_threads < 0 && !s.weight_sharing)
    return usage("--num-inter-threads {}: a negative number goes with --weight-sharing", s.inter_threads);
  return {};
}

Status check_files(const LaunchSettings& s) {
  std::error_code code;
  if (!s.in_graph.empty() && !std::filesystem::is_regular_file(s.in_graph, code))
    return bad_input("--in-graph {}: no such file", s.in_graph);
  if (!s.data_location.empty() && !std::filesystem::exists(s.data_location, code))
    return bad_input("--data-location {}: no such folder or file", s.data_location);
  return {};
}

}  // namespace

std::span<const LaunchPrecision> launch_precisions() { return kPrecisions; }

std::string missing_for(const LaunchPrecision& p, const CpuFeatures& cpu) {
  if (p.tiles == Tiles::kInt8 && !cpu.amx_int8) return "AMX-INT8 (Intel Sapphire Rapids or newer)";
  if (p.tiles == Tiles::kBf16 && !cpu.amx_bf16) return "AMX-BF16 (Intel Sapphire Rapids or newer)";
  if (p.compute == Precision::kBf16 && !cpu.avx512_bf16) return "AVX512_BF16 (Intel Cooper Lake, AMD Zen 4 or newer)";
  if (p.tiles == Tiles::kNone && !cpu.avx2) return "AVX2";
  return {};
}

Result<LaunchPrecision> find_launch_precision(const std::string& name, const CpuFeatures& cpu) {
  std::vector<std::string> known;
  for (const LaunchPrecision& p : kPrecisions) {
    known.emplace_back(p.name);
    if (name != p.name) continue;
    if (const std::string missing = missing_for(p, cpu); !missing.empty())
      return unsupported("--precision {} needs {}, which this CPU ({}) lacks", name, missing, cpu.brand);
    return p;
  }
  return usage("--precision '{}': expected one of {}{}", name, fmt::join(known, ", "), did_you_mean(name, known));
}

PlanOptions plan_options_for(const LaunchPrecision& precision, const CpuFeatures& cpu) {
  PlanOptions plan;
  plan.cpu = cpu;
  // oneDNN is what multiplies tiles here, wherever the CPU has them.
  switch (precision.tiles) {
    case Tiles::kAny:
      break;
    case Tiles::kNone:
      if (precision.compute == Precision::kInt8 && cpu.amx_int8) plan.exclude = {"onednn_qconv"};
      if (precision.compute == Precision::kBf16 && cpu.amx_bf16)
        plan.exclude = {"onednn_conv", "onednn_gemm", "onednn_matmul_batched"};
      break;
    case Tiles::kInt8:
      plan.force_tactic = "onednn_qconv";
      break;
    case Tiles::kBf16:
      plan.force_tactic = "onednn_conv";
      if (precision.compute == Precision::kFp32) plan.math = Math::kBf16Products;
      break;
  }
  return plan;
}

CoreRequest LaunchSettings::core_request() const {
  CoreRequest request;
  request.cores = num_cores > 0 ? num_cores : 0;
  request.numa_node = socket_id;
  request.per_socket = numa_cores_per_instance == "socket";
  if (!numa_cores_per_instance.empty() && !request.per_socket)
    request.cores_per_instance = std::atoi(numa_cores_per_instance.c_str());
  const bool filled = request.per_socket || request.cores_per_instance > 0;
  request.instances = num_instances > 1 || !filled ? num_instances : 0;
  return request;
}

std::vector<std::pair<std::string, std::string>> LaunchSettings::listed() const {
  std::vector<std::pair<std::string, std::string>> list = {
      {"model-name", model_name}, {"precision", precision}, {"mode", mode}, {"batch-size", fmt::format("{}", batch)}};
  const auto add = [&list](const char* name, const std::string& value) {
    if (!value.empty()) list.emplace_back(name, value);
  };
  const auto number = [](int value, int unset) { return value == unset ? std::string() : fmt::format("{}", value); };
  add("in-graph", in_graph);
  add("data-location", data_location);
  add("map", map);
  add("num-cores", number(num_cores, -1));
  add("socket-id", number(socket_id, -1));
  add("num-intra-threads", number(intra_threads, 0));
  add("num-inter-threads", number(inter_threads, 0));
  add("num-instances", number(num_instances, 1));
  add("numa-cores-per-instance", numa_cores_per_instance);
  add("output-dir", output_dir);
  if (limit >= 0) list.emplace_back("limit", fmt::format("{}", limit));
  for (const auto& [name, set] : {std::pair{"accuracy-only", accuracy_only},
                                  {"output-results", output_results},
                                  {"weight-sharing", weight_sharing}})
    if (set) list.emplace_back(name, "");
  if (!accuracy_only) {
    list.emplace_back("steps", fmt::format("{}", steps));
    list.emplace_back("warmup_steps", fmt::format("{}", warm_up_steps));
  }
  return list;
}

std::string LaunchSettings::command_text() const {
  std::string text = "fovea launch", behind;
  for (const auto& [name, value] : listed()) {
    if (name == "steps" || name == "warmup_steps")
      behind += fmt::format(" {}={}", name, value);
    else
      text += " --" + name + (value.empty() ? "" : " " + value);
  }
  return text + (behind.empty() ? "" : " --" + behind);
}

namespace {

void add_run_choice(CLI::App& command, LaunchSettings& s) {
  command.add_option("-f,--framework", s.framework, "Accepted: the engine is Fovea whatever is named");
  command.add_option("--docker-image", s.docker_image, "Accepted: runs are native");
  command.add_option("-m,--model-name", s.model_name, "resnet50v1_5, or a name from `fovea models`")
      ->capture_default_str();
  std::vector<std::string> names;
  for (const LaunchPrecision& p : kPrecisions) names.emplace_back(p.name);
  command
      .add_option("-p,--precision", s.precision,
                  fmt::format("One of {}; an error where the CPU lacks it", fmt::join(names, ", ")))
      ->required();
  command.add_option("--mode", s.mode, "inference")->required();
  command.add_option("-b,--batch-size", s.batch, "Images an iteration; -1 is the default")->capture_default_str();
  command
      .add_option("-g,--in-graph", s.in_graph,
                  "ONNX file or TensorFlow GraphDef; without it the network has synthetic weights")
      ->type_name("FILE");
  command
      .add_option("-d,--data-location", s.data_location,
                  "TFRecord shards or a folder of images; without it, dummy data")
      ->type_name("DIR");
  command.add_option("--map", s.map, "Lines `file label` for a folder without sub-folders")->type_name("FILE");
  command.add_flag("--accuracy-only", s.accuracy_only, "Measure top-1 and top-5 accuracy");
  command.add_flag("-k,--benchmark-only", s.benchmark_only, "Measure speed (the default)");
  command.add_flag("--output-results", s.output_results, "Write `filename,actual,prediction` of every image as CSV");
  command.add_option("--output-dir", s.output_dir, "Where logs, results and the record go")
      ->type_name("DIR")
      ->capture_default_str();
  command.add_option("--limit", s.limit, "Accuracy of the first so many images only")->check(CLI::PositiveNumber);
  command.add_flag("--dry-run", s.dry_run, "Say what would run, and where, and run nothing");
  command.add_flag("-v,--verbose", s.verbose, "Print all settings and where each instance runs");
  command.add_option("--tune", s.tune, "Choose algorithms by measurement: off, quick or full")->capture_default_str();
  command.add_option("arguments", s.model_arguments, "Behind `--`: steps=N warmup_steps=N")->type_name("NAME=VALUE");
}

void add_core_choice(CLI::App& command, LaunchSettings& s) {
  const std::string group = "Cores and instances";
  command.add_option("-n,--num-cores", s.num_cores, "Use only so many cores in all")->group(group);
  command.add_option("-i,--socket-id", s.socket_id, "Use only this NUMA node's cores and memory")
      ->group(group)
      ->check(CLI::Range(-1, 4095));
  command.add_option("-a,--num-intra-threads", s.intra_threads, "Threads of an instance; default: one a core")
      ->group(group)
      ->check(CLI::Range(0, 4096));
  command
      .add_option("-e,--num-inter-threads", s.inter_threads, "Accepted: layers run one after another, on all threads")
      ->group(group);
  command
      .add_option("--num-instances", s.num_instances, "Instances at the same time; the cores are divided among them")
      ->group(group)
      ->check(CLI::Range(1, 4096));
  command
      .add_option("--numa-cores-per-instance", s.numa_cores_per_instance,
                  "As many instances as fit, of so many cores each; or `socket`")
      ->group(group)
      ->type_name("N|socket");
  command.add_flag("--weight-sharing", s.weight_sharing, "Instances in one process, with one copy of the weights")
      ->group(group);
}

}  // namespace

void add_launch_options(CLI::App& command, LaunchSettings& s) {
  add_run_choice(command, s);
  add_core_choice(command, s);
  add_preprocess_options(command, s.model);
  command.add_option("-c,--checkpoint", s.checkpoint, "Of training")->group("");
  command.add_option("--mpi_num_processes", s.mpi_processes, "Of training")->group("");
  command.add_option("--mpi_num_processes_per_socket", s.mpi_per_socket, "Of training")->group("");
}

Status check_settings(LaunchSettings& s) {
  if (s.mode == "training") return unsupported("--mode training: not in this version; --mode inference is");
  if (s.mode != "inference") return usage("--mode '{}': expected inference or training", s.mode);
  if (!s.mpi_processes.empty() || !s.mpi_per_socket.empty())
    return usage("--mpi_num_processes: belongs to --mode training");
  if (const auto precision = find_launch_precision(s.precision, active_cpu()); !precision.ok())
    return precision.error();
  if (s.batch == -1) s.batch = kDefaultBatch;
  if (s.batch < 1 || s.batch > 4096) return usage("--batch-size {}: expected 1 to 4096", s.batch);
  if (s.accuracy_only && s.benchmark_only) return usage("--accuracy-only and --benchmark-only exclude each other");
  if (s.accuracy_only && s.data_location.empty())
    return usage("--accuracy-only needs --data-location: labelled images");
  if (s.output_results && s.data_location.empty())
    return usage("--output-results needs --data-location: dummy data has no answers");
  if (!s.map.empty() && s.data_location.empty()) return usage("--map goes with --data-location");
  if (s.weight_sharing && s.accuracy_only)
    return usage("--weight-sharing is for speed; --accuracy-only runs one instance");
  FOVEA_RETURN_IF_ERROR(read_model_arguments(s));
  FOVEA_RETURN_IF_ERROR(check_cores(s));
  return check_files(s);
}

}  // namespace fovea::cli
