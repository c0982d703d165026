#include "runtime/compile.h"

#include <algorithm>
#include <array>

#include "backends/cpu/cpu_backend.h"
#include "backends/onednn/onednn_backend.h"
#include "backends/reference/reference_backend.h"
#include "ops/infer.h"
#include "passes/pass.h"
#include "runtime/tune.h"

namespace fovea {

const char* tuning_name(Tuning tuning) {
  return tuning == Tuning::kOff ? "off" : tuning == Tuning::kQuick ? "quick" : "full";
}

Result<Tuning> parse_tuning(std::string_view name) {
  for (const Tuning tuning : {Tuning::kOff, Tuning::kQuick, Tuning::kFull})
    if (name == tuning_name(tuning)) return tuning;
  return make_error(ErrorCode::kUsage, "unknown tuning '{}': expected off, quick or full", name);
}

const char* precision_name(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return "fp32";
    case Precision::kBf16:
      return "bf16";
    case Precision::kInt8:
      return "int8";
  }
  throw CheckFailure("precision_name: unknown precision");
}

Result<Precision> parse_precision(std::string_view name) {
  if (name == "fp32") return Precision::kFp32;
  if (name == "bf16" || name == "bfloat16") return Precision::kBf16;
  if (name == "int8") return Precision::kInt8;
  return make_error(ErrorCode::kUsage, "unknown precision '{}': expected fp32, bf16 or int8", name);
}

Result<Precision> choose_precision(std::string_view name, const Graph& graph) {
  if (name != "auto") return parse_precision(name);
  return is_quantised(graph) ? Precision::kInt8 : Precision::kFp32;
}

bool is_quantised(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const Node& node) {
    return node.alive && (node.op == "QuantizeLinear" || node.op == "QLinearConv" || node.op == "QLinearMatMul");
  });
}

Status check_precision(Precision precision, const CpuFeatures& cpu) {
  if (precision == Precision::kBf16 && !cpu.avx512_bf16)
    return unsupported("precision bf16 needs the AVX512_BF16 instructions, which {} lacks (its best level here is {})",
                       cpu.brand.empty() ? "this CPU" : cpu.brand, isa_name(cpu.best()));
  return {};
}

Result<std::shared_ptr<const Plan>> compile(const Graph& graph, const CompileOptions& options) {
  FOVEA_RETURN_IF_ERROR(check_precision(options.precision, options.plan.cpu));
  if (options.precision == Precision::kInt8 && !is_quantised(graph))
    return unsupported(
        "precision int8 needs a quantised network, and {} has no QuantizeLinear node; "
        "'fovea quantize --model … --data … -o out.onnx' makes one",
        graph.name.empty() ? "this one" : graph.name);
  if (options.batch < 1) return make_error(ErrorCode::kUsage, "batch is {}: expected at least 1", options.batch);
  FOVEA_TRY(Graph bound, specialise(graph, options.batch, options.input_dims));
  PassOptions passes;
  passes.cpu = options.plan.cpu;
  passes.input_layout = options.input_layout;
  passes.lower_quantised = options.precision == Precision::kInt8;
  passes.lower_to_bf16 = options.precision == Precision::kBf16;
  FOVEA_RETURN_IF_ERROR(run_passes(bound, Stage::kPortable, passes));
  FOVEA_RETURN_IF_ERROR(run_passes(bound, Stage::kTarget, passes));
  const std::array<const Backend*, 3> backends = {&cpu_backend(), &onednn_backend(), &reference_backend()};
  PlanOptions plan = options.plan;
  if (options.tuning != Tuning::kOff) {
    FOVEA_TRY(plan.measured, tuned_costs(bound, backends, options));
  }
  return make_plan(bound, backends, plan);
}

}  // namespace fovea
