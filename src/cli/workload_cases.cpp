#include "cli/workload_cases.h"

#include "base/suggest.h"
#include "cli/launch_settings.h"

namespace fovea::cli {
namespace {

constexpr const char* kStem = "test_resnet50v1_5_tensorflow_xeon_public_";
constexpr const char* kPrecisions[] = {"avx_fp32", "avx_int8",     "avx_bfloat16",
                                       "amx_int8", "amx_bfloat16", "amx_bfloat32"};

struct Form {
  const char *mode, *case_type;
};
constexpr Form kForms[] = {
    {"throughput", ""}, {"latency", ""}, {"accuracy", ""}, {"throughput", "gated"}, {"throughput", "pkm"}};

}  // namespace

std::string WorkloadCase::obstacle(const CpuFeatures& cpu) const {
  if (sgx) return "needs Intel SGX with the Gramine stack, which this version does not run in";
  for (const LaunchPrecision& p : launch_precisions())
    if (precision == p.name && !missing_for(p, cpu).empty()) return "needs " + missing_for(p, cpu);
  return {};
}

std::vector<WorkloadCase> workload_cases() {
  std::vector<WorkloadCase> cases;
  for (const char* precision : kPrecisions)
    for (const bool sgx : {false, true})
      for (const Form& form : kForms) {
        WorkloadCase c{"", form.mode, precision, form.case_type, sgx};
        c.name = fmt::format("{}{}inference_{}_{}{}{}", kStem, sgx ? "sgx_" : "", form.mode, precision,
                             c.case_type.empty() ? "" : "_", c.case_type);
        cases.push_back(std::move(c));
      }
  return cases;
}

Result<WorkloadCase> find_workload_case(const std::string& name) {
  std::vector<std::string> known;
  for (WorkloadCase& c : workload_cases()) {
    if (name == c.name || kStem + name == c.name) return std::move(c);
    known.push_back(c.name);
  }
  if (name.find("training") != std::string::npos) return unsupported("case {}: training is not in this version", name);
  const std::string whole = name.starts_with("test_") ? name : kStem + name;
  return make_error(ErrorCode::kUsage, "there is no case '{}'{}; `fovea workload --list` names them all", name,
                    did_you_mean(whole, known));
}

}  // namespace fovea::cli
