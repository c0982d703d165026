// Convolutions by oneDNN's generated kernels: dense, grouped and depthwise, with bias, residual and activation fused.
#include "backends/onednn/conv_program.h"
#include "backends/onednn/narrowed_step.h"
#include "backends/onednn/operands.h"
#include "backends/onednn/tactics.h"

namespace fovea::onednn {
namespace {

Verdict check_operands(const TacticQuery& query) {
  if (query.input(FusedConvInputs::kX).type.dtype == DType::kU8)
    return Verdict::no("u8 input with mean and scale has no oneDNN form");
  if (query.has(FusedConvInputs::kChannelScale)) return Verdict::no("a channel scale has no oneDNN form");
  if (const Verdict verdict = check_activations(query); !verdict.applies) return verdict;
  if (query.input(FusedConvInputs::kX).type.shape.rank() != 4) return Verdict::no("only two-dimensional images");
  const Tensor* weight = query.constant(FusedConvInputs::kWeight);
  if (!weight) return Verdict::no("the weights are not constant");
  if (!is_supported(weight->dtype())) return Verdict::no("the weights are {}", dtype_name(weight->dtype()));
  if (query.has(FusedConvInputs::kBias) && !query.constant(FusedConvInputs::kBias))
    return Verdict::no("the bias is not constant");
  const DType x = query.input(FusedConvInputs::kX).type.dtype, y = query.output().type.dtype;
  if (x == DType::kF32 && y != DType::kF32) return Verdict::no("f32 in and {} out", dtype_name(y));
  if (query.has(FusedConvInputs::kResidual)) {
    const Value& residual = query.input(FusedConvInputs::kResidual);
    if (residual.is_constant()) return Verdict::no("the residual is constant");
    if (residual.type != query.output().type)
      return Verdict::no("the residual is {}, the result {}", residual.type.text(), query.output().type.text());
  }
  return Verdict::yes();
}

Result<ConvProblem> read_problem(const TacticQuery& query) {
  FOVEA_TRY(ConvProblem problem, read_conv_geometry(query));
  problem.bias = query.has(FusedConvInputs::kBias);
  problem.residual = query.has(FusedConvInputs::kResidual);
  if (narrows_factors(query) && !problem.is_depthwise()) problem.input = DType::kBf16;
  return problem;
}

bool is_narrowed(const TacticQuery& query, const ConvProblem& problem) {
  return problem.input != query.input(FusedConvInputs::kX).type.dtype;
}

}  // namespace

Verdict applies_conv(const TacticQuery& query) {
  if (const Verdict verdict = check_operands(query); !verdict.applies) return verdict;
  const auto problem = read_problem(query);
  return problem.ok() ? Verdict::yes() : Verdict::no("{}", problem.error().text());
}

Verdict confirm_conv(const TacticQuery& query) { return check_kernel(read_problem(query)); }

TacticLayouts layouts_conv(const TacticQuery& query) {
  TacticLayouts layouts = channels_last_layouts(query);
  if (query.has(FusedConvInputs::kResidual)) layouts.in_place_input = FusedConvInputs::kResidual;
  return layouts;
}

double cost_conv(const TacticQuery& query) {
  const auto problem = read_problem(query);
  if (!problem.ok()) return 1e9;
  const double narrowing = is_narrowed(query, *problem) ? narrowing_us(query) : 0.0;
  return narrowing + estimate_us(query, tile_gain(query, *problem) * expected_gmacs_per_s(*problem), 20.0, 2.0);
}

Result<std::unique_ptr<Step>> build_conv(const TacticQuery& query) {
  FOVEA_TRY(const ConvProblem problem, read_problem(query));
  const ConvWeights weights = oihw_weights(*query.constant(FusedConvInputs::kWeight));
  std::vector<float> bias;
  if (problem.bias) bias = query.constant(FusedConvInputs::kBias)->to_floats();
  FOVEA_TRY(Program program,
            make_conv_program(problem, weights, std::move(bias), query.input_dims(FusedConvInputs::kX)[0]));
  auto step = make_primitive_step(std::move(program), query.threads);
  if (!is_narrowed(query, problem)) return step;
  return make_narrowed_step(std::move(step), count_of(query.input(FusedConvInputs::kX)));
}

}  // namespace fovea::onednn
