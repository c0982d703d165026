// compile: from a portable graph to a Plan, through the target passes and the backends.
#pragma once

#include <functional>
#include <map>

#include "plan/plan.h"

namespace fovea {

// kInt8 computes a quantised network (QuantizeLinear, DequantizeLinear) in integers wherever they stand for an
// operator, the rest of it in fp32; kInt8Bf16 does the same, but convolutions and matrix products of the rest that gain
// by it, and what lies between them, in bf16. kFp32 and kBf16 compute everything in floats.
enum class Precision { kFp32, kBf16, kInt8, kInt8Bf16 };
const char* precision_name(Precision precision);           // "fp32", "bf16", "int8", "int8-bf16"
Result<Precision> parse_precision(std::string_view name);  // usage error listing the known ones
bool computes_integers(Precision precision);               // needs a quantised network
bool computes_bf16(Precision precision);                   // needs AVX512_BF16
// The same, where "auto" is int8 for a quantised network and fp32 for any other. A network whose file asks for bf16
// where it is not in 8 bits (kFallbackMetadata) runs in int8-bf16, or in bf16 if nothing of it is quantised, on a CPU
// that has it.
Result<Precision> choose_precision(std::string_view name, const Graph& graph, const CpuFeatures& cpu = active_cpu());
// What "auto" had to do without: a sentence for the user where the graph asks for bf16 and `cpu` lacks it, else empty.
std::string fallback_notice(std::string_view name, const Graph& graph, const CpuFeatures& cpu = active_cpu());
// Key of the graph's metadata with the precision of what is not quantised: "bf16"; fp32 without it.
inline constexpr std::string_view kFallbackMetadata = "fovea_fallback";
bool is_quantised(const Graph& graph);                                // has QuantizeLinear or QLinear… nodes
Status check_precision(Precision precision, const CpuFeatures& cpu);  // unsupported where the CPU lacks it

// How much is measured before tactics are chosen. Measured choices are kept (FOVEA_CACHE/tuning.json) for this CPU and
// number of threads and hold for all networks; given the same file the choice is the same.
enum class Tuning { kOff, kQuick, kFull };  // by estimate; what may well win, briefly; all that applies, at length
const char* tuning_name(Tuning tuning);
Result<Tuning> parse_tuning(std::string_view name);  // usage error listing the known ones

struct CompileOptions {
  Precision precision = Precision::kFp32;
  std::int64_t batch = 1;
  std::map<std::string, Dims> input_dims;   // by input name, for inputs with more than the batch open
  Layout input_layout = Layout::kRowMajor;  // of image-like (rank 4) inputs, as run() will get them
  PlanOptions plan;
  // Measured choices may differ between numbers of threads and batches: a network in floats then may give other last
  // bits for each of them. Integer networks never do.
  Tuning tuning = Tuning::kOff;
  std::function<void(std::string_view)> warn;  // told of a tuning file that cannot be used; may be empty
};

// Thread-safe. The plan keeps what it needs of the graph's constants; the graph may be dropped afterwards.
Result<std::shared_ptr<const Plan>> compile(const Graph& graph, const CompileOptions& options);

}  // namespace fovea
