#include "cli/workload_parameters.h"

#include <fmt/ranges.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>

#include "base/knobs.h"
#include "base/suggest.h"
#include "base/topology.h"

namespace fovea::cli {
namespace {

constexpr ParameterRow kRows[] = {
    {"FUNCTION", "inference"},
    {"MODE", "latency, throughput or accuracy"},
    {"PRECISION", "avx_fp32, avx_int8, avx_bfloat16, amx_int8, amx_bfloat16 or amx_bfloat32"},
    {"CASE_TYPE", "gated: 10 steps of batch 1; pkm: the common parameters"},
    {"DATA_TYPE", "dummy or real; accuracy is always real"},
    {"BATCH_SIZE", "Images an iteration"},
    {"CORES_PER_INSTANCE", "Cores of an instance; as many instances as fit"},
    {"STEPS", "Iterations of an instance, the first quarter of them warm-up"},
    {"WEIGHT_SHARING", "True: instances in one process, with one copy of the weights"},
    {"VERBOSE", "True: print all settings and where each instance runs"},
    {"ONEDNN_VERBOSE", "True: oneDNN prints what it runs"},
    {"MPI", "Accepted: belongs to training"},
    {"NUM_MPI", "0 or 1 for inference"},
    {"CUSTOMER_ENV", "NAME=VALUE …: environment variables to run with"},
    {"IN_GRAPH", "ONNX file or GraphDef; without it the network has synthetic weights"},
    {"DATA_LOCATION", "TFRecord shards or a folder of images"},
};

template <class... Args>
Error usage(fmt::format_string<Args...> format, Args&&... args) {
  return Error(ErrorCode::kUsage, fmt::format(format, std::forward<Args>(args)...));
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}
std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

class Reader {
 public:
  explicit Reader(const Parameters& parameters) : parameters_(parameters) {}

  std::string text(const std::string& name, const std::string& standard = "") const {
    const auto found = parameters_.find(name);
    return found == parameters_.end() || found->second.empty() ? standard : found->second;
  }
  // 0 where it is empty.
  Result<int> number(const std::string& name, int most) const {
    const std::string value = text(name, "0");
    int number = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
    if (error != std::errc() || end != value.data() + value.size() || number < 0 || number > most)
      return usage("{}: expected a number up to {}, found '{}'", name, most, value);
    return number;
  }
  Result<bool> flag(const std::string& name) const {
    const std::string value = lower(text(name, "false"));
    for (const char* yes : {"true", "1", "yes", "on"})
      if (value == yes) return true;
    for (const char* no : {"false", "0", "no", "off"})
      if (value == no) return false;
    return usage("{}: expected True or False, found '{}'", name, value);
  }
  Result<std::string> one_of(const std::string& name, const std::string& standard,
                             const std::vector<std::string>& known) const {
    const std::string value = text(name, standard);
    if (std::find(known.begin(), known.end(), value) != known.end()) return value;
    return usage("{}: expected one of {}, found '{}'{}", name, fmt::join(known, ", "), value,
                 did_you_mean(value, known));
  }

 private:
  const Parameters& parameters_;
};

// Batches of the quickstart script inference_throughput of Intel's spr-launch-public.
std::int64_t throughput_batch(const std::string& precision) {
  if (precision.ends_with("int8")) return 116;
  return precision.ends_with("bfloat16") ? 80 : 64;
}

int cores_of_a_socket(const Topology& topology) {
  std::map<int, std::set<int>> cores;
  for (const Processor& p : topology.processors) cores[p.socket].insert(p.core);
  std::size_t most = 1;
  for (const auto& [socket, members] : cores) most = std::max(most, members.size());
  return static_cast<int>(most);
}

Status plan_cores(const Reader& read, WorkloadPlan& plan) {
  FOVEA_TRY(int cores, read.number("CORES_PER_INSTANCE", 65536));
  const int socket = cores_of_a_socket(detect_topology());
  if (plan.mode == "accuracy") return {};
  if (cores == 0 && plan.mode == "latency" && plan.case_type != "gated") cores = 4;
  if (cores == 0) {
    plan.launch.numa_cores_per_instance = "socket";
    return {};
  }
  if (cores > socket) {
    plan.notices.push_back(fmt::format(
        "CORES_PER_INSTANCE is {}, but a socket has {} usable core(s): an instance gets these", cores, socket));
    cores = socket;
  }
  plan.launch.numa_cores_per_instance = fmt::format("{}", cores);
  return {};
}

Status plan_steps(const Reader& read, WorkloadPlan& plan) {
  const bool gated = plan.case_type == "gated";
  FOVEA_TRY(const int batch, read.number("BATCH_SIZE", 4096));
  FOVEA_TRY(const int steps, read.number("STEPS", 1'000'000'000));
  plan.launch.batch = batch > 0                         ? batch
                      : plan.mode == "accuracy"         ? 100
                      : gated || plan.mode == "latency" ? 1
                                                        : throughput_batch(plan.launch.precision);
  plan.launch.steps = steps > 0 ? steps : gated ? 10 : kDefaultSteps;
  plan.launch.warm_up_steps = plan.launch.steps / 4;
  return {};
}

Status plan_data(const Reader& read, WorkloadPlan& plan) {
  const bool accuracy = plan.mode == "accuracy";
  FOVEA_TRY(plan.data_type, read.one_of("DATA_TYPE", accuracy ? "real" : "dummy", {"dummy", "real"}));
  plan.launch.data_location = read.text("DATA_LOCATION");
  if (accuracy && plan.data_type == "dummy") {
    plan.notices.push_back("DATA_TYPE is dummy, but accuracy is measured on real images");
    plan.data_type = "real";
  }
  if (plan.data_type == "real" && plan.launch.data_location.empty())
    return usage("DATA_LOCATION is missing: the labelled images of {}", accuracy ? "MODE accuracy" : "DATA_TYPE real");
  if (plan.data_type == "dummy") plan.launch.data_location.clear();
  return {};
}

Status plan_rest(const Reader& read, WorkloadPlan& plan) {
  LaunchSettings& launch = plan.launch;
  FOVEA_TRY(launch.weight_sharing, read.flag("WEIGHT_SHARING"));
  if (launch.weight_sharing && (launch.precision == "avx_fp32" || launch.precision == "amx_bfloat32"))
    return unsupported("WEIGHT_SHARING: precision {} is not supported with weight sharing", launch.precision);
  if (launch.weight_sharing && plan.mode == "accuracy") return usage("WEIGHT_SHARING: MODE accuracy runs one instance");
  FOVEA_TRY(launch.verbose, read.flag("VERBOSE"));
  FOVEA_TRY(const int processes, read.number("NUM_MPI", 65536));
  if (processes > 1)
    return unsupported("NUM_MPI {}: processes of MPI belong to training, which is not in this version", processes);
  launch.in_graph = read.text("IN_GRAPH");
  return {};
}

}  // namespace

std::span<const ParameterRow> parameter_rows() { return kRows; }

Parameters parameters_of_environment() {
  Parameters found;
  for (const ParameterRow& row : kRows)
    if (const std::string value = environment_variable(row.name); !value.empty()) found[row.name] = value;
  return found;
}

Result<Parameters> parameters_of_file(const std::string& path) try {
  const YAML::Node root = YAML::LoadFile(path);
  if (!root.IsMap()) return bad_input("{}: expected a map of parameters, such as MODE: latency", path);
  std::vector<std::string> known;
  for (const ParameterRow& row : kRows) known.emplace_back(row.name);
  Parameters found;
  for (const auto& entry : root) {
    const std::string name = upper(entry.first.as<std::string>());
    const int line = entry.first.Mark().line + 1;
    if (std::find(known.begin(), known.end(), name) == known.end())
      return bad_input("{} › line {}: there is no parameter '{}'{}", path, line, name, did_you_mean(name, known));
    if (!entry.second.IsScalar() && !entry.second.IsNull())
      return bad_input("{} › line {}: {}: expected one value", path, line, name);
    found[name] = entry.second.IsNull() ? "" : entry.second.as<std::string>();
  }
  return found;
} catch (const YAML::BadFile&) {
  return bad_input("{}: cannot be read", path);
} catch (const YAML::Exception& e) {
  return bad_input("{} › line {}: {}", path, e.mark.line + 1, e.msg);
}

Parameters merged(const Parameters& first, const Parameters& second) {
  Parameters all = second;
  for (const auto& [name, value] : first)
    if (!value.empty()) all[name] = value;
  return all;
}

Parameters parameters_of_case(const WorkloadCase& c) {
  return {{"FUNCTION", "inference"}, {"MODE", c.mode}, {"PRECISION", c.precision}, {"CASE_TYPE", c.case_type}};
}

Result<WorkloadPlan> plan_workload(const Parameters& parameters) {
  const Reader read(parameters);
  WorkloadPlan plan;
  if (read.text("FUNCTION") == "training") return unsupported("FUNCTION training: not in this version");
  FOVEA_TRY(const std::string function, read.one_of("FUNCTION", "inference", {"inference"}));
  plan.launch.mode = function;
  FOVEA_TRY(plan.mode, read.one_of("MODE", "throughput", {"latency", "throughput", "accuracy"}));
  std::vector<std::string> precisions;
  for (const LaunchPrecision& p : launch_precisions()) precisions.emplace_back(p.name);
  FOVEA_TRY(plan.launch.precision, read.one_of("PRECISION", "avx_fp32", precisions));
  const std::string case_type = read.text("CASE_TYPE");
  if (!case_type.empty()) {
    FOVEA_TRY(plan.case_type, read.one_of("CASE_TYPE", "", {"gated", "pkm"}));
  }
  plan.launch.accuracy_only = plan.mode == "accuracy";
  FOVEA_RETURN_IF_ERROR(plan_data(read, plan));
  FOVEA_RETURN_IF_ERROR(plan_cores(read, plan));
  FOVEA_RETURN_IF_ERROR(plan_steps(read, plan));
  FOVEA_RETURN_IF_ERROR(plan_rest(read, plan));
  return plan;
}

}  // namespace fovea::cli
