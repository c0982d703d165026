// compile: from a portable graph to a Plan, through the target passes and the backends.
#pragma once

#include <map>

#include "plan/plan.h"

namespace fovea {

// kInt8 computes a quantised network (QuantizeLinear, DequantizeLinear) in integers wherever they stand for an operator,
// the rest of it in fp32; kFp32 and kBf16 compute everything in floats.
enum class Precision { kFp32, kBf16, kInt8 };
const char* precision_name(Precision precision);                       // "fp32", "bf16", "int8"
Result<Precision> parse_precision(std::string_view name);              // usage error listing the known ones
// The same, where "auto" is int8 for a quantised network and fp32 for any other.
Result<Precision> choose_precision(std::string_view name, const Graph& graph);
bool is_quantised(const Graph& graph);                                 // has QuantizeLinear or QLinear… nodes
Status check_precision(Precision precision, const CpuFeatures& cpu);   // unsupported where the CPU lacks it

struct CompileOptions {
  Precision precision = Precision::kFp32;
  std::int64_t batch = 1;
  std::map<std::string, Dims> input_dims;                // by input name, for inputs with more than the batch open
  Layout input_layout = Layout::kRowMajor;               // of image-like (rank 4) inputs, as run() will get them
  PlanOptions plan;
};

// Thread-safe. The plan keeps what it needs of the graph's constants; the graph may be dropped afterwards.
Result<std::shared_ptr<const Plan>> compile(const Graph& graph, const CompileOptions& options);

}  // namespace fovea
