// The test cases of Intel's ResNet50 workload: one list of names, and what each name asks for.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "base/result.h"

namespace fovea::cli {

struct WorkloadCase {
  std::string name;       // "test_resnet50v1_5_tensorflow_xeon_public_inference_throughput_avx_int8_gated"
  std::string mode;       // "throughput", "latency", "accuracy"
  std::string precision;  // "avx_int8"
  std::string case_type;  // "gated", "pkm" or empty
  bool sgx = false;
  // Why it cannot run on this CPU or in this version; empty: it can.
  std::string obstacle(const CpuFeatures& cpu) const;
};

// All cases, in the order of their numbers.
std::vector<WorkloadCase> workload_cases();

// By name, or by the part behind "…_xeon_public_". An error names the nearest one; training cases are "not in this
// version".
Result<WorkloadCase> find_workload_case(const std::string& name);

}  // namespace fovea::cli
