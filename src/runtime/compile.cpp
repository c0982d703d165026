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

namespace {

bool asks_for_bf16(const Graph& graph) {
  const auto found = graph.metadata.find(std::string(kFallbackMetadata));
  return found != graph.metadata.end() && found->second == precision_name(Precision::kBf16);
}

}  // namespace

const char* precision_name(Precision precision) {
  switch (precision) {
    case Precision::kFp32:
      return "fp32";
    case Precision::kBf16:
      return "bf16";
    case Precision::kInt8:
      return "int8";
    case Precision::kInt8Bf16:
      return "int8-bf16";
  }
  throw CheckFailure("precision_name: unknown precision");
}

Result<Precision> parse_precision(std::string_view name) {
  if (name == "fp32") return Precision::kFp32;
  if (name == "bf16" || name == "bfloat16") return Precision::kBf16;
  if (name == "int8") return Precision::kInt8;
  if (name == "int8-bf16" || name == "int8_bf16") return Precision::kInt8Bf16;
  return make_error(ErrorCode::kUsage, "unknown precision '{}': expected fp32, bf16, int8 or int8-bf16", name);
}

bool computes_integers(Precision precision) {
  return precision == Precision::kInt8 || precision == Precision::kInt8Bf16;
}
bool computes_bf16(Precision precision) { return precision == Precision::kBf16 || precision == Precision::kInt8Bf16; }

Result<Precision> choose_precision(std::string_view name, const Graph& graph, const CpuFeatures& cpu) {
  if (name != "auto") return parse_precision(name);
  const bool in_bf16 = asks_for_bf16(graph) && cpu.avx512_bf16;
  if (is_quantised(graph)) return in_bf16 ? Precision::kInt8Bf16 : Precision::kInt8;
  return in_bf16 ? Precision::kBf16 : Precision::kFp32;
}

std::string fallback_notice(std::string_view name, const Graph& graph, const CpuFeatures& cpu) {
  if (name != "auto" || !asks_for_bf16(graph) || cpu.avx512_bf16) return "";
  return fmt::format(
      "{}: what is not in 8 bits was measured in bf16, which needs AVX512_BF16 instructions; it runs in fp32 here",
      graph.name.empty() ? "this network" : graph.name);
}

bool is_quantised(const Graph& graph) {
  return std::any_of(graph.nodes().begin(), graph.nodes().end(), [](const Node& node) {
    return node.alive && (node.op == "QuantizeLinear" || node.op == "QLinearConv" || node.op == "QLinearMatMul");
  });
}

Status check_precision(Precision precision, const CpuFeatures& cpu) {
  if (computes_bf16(precision) && !cpu.avx512_bf16)
    return unsupported("precision {} needs the AVX512_BF16 instructions, which {} lacks (its best level here is {})",
                       precision_name(precision), cpu.brand.empty() ? "this CPU" : cpu.brand, isa_name(cpu.best()));
  return {};
}

Result<std::shared_ptr<const Plan>> compile(const Graph& graph, const CompileOptions& options) {
  FOVEA_RETURN_IF_ERROR(check_precision(options.precision, options.plan.cpu));
  if (computes_integers(options.precision) && !is_quantised(graph))
    return unsupported(
        "precision {} needs a quantised network, and {} has no QuantizeLinear node; "
        "'fovea quantize --model … --data … -o out.onnx' makes one",
        precision_name(options.precision), graph.name.empty() ? "this one" : graph.name);
  if (options.batch < 1) return make_error(ErrorCode::kUsage, "batch is {}: expected at least 1", options.batch);
  FOVEA_TRY(Graph bound, specialise(graph, options.batch, options.input_dims));
  PassOptions passes;
  passes.cpu = options.plan.cpu;
  passes.input_layout = options.input_layout;
  passes.lower_quantised = computes_integers(options.precision);
  passes.lower_to_bf16 = computes_bf16(options.precision);
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
