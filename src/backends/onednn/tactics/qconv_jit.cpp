// Convolutions in 8-bit integers by oneDNN's generated kernels: on CPUs with AMX they multiply whole tiles. Sums are
// exact in s32; the library scales them in another order than Fovea's own kernels, so that a result on the edge between
// two bytes may round to the other one.
#include <algorithm>

#include "backends/onednn/conv_program.h"
#include "backends/onednn/operands.h"
#include "backends/onednn/tactics.h"
#include "ops/fused_qconv.h"

namespace fovea::onednn {
namespace {

using Inputs = FusedQConvInputs;

Verdict check_operands(const TacticQuery& query) {
  if (!query.cpu.avx512_vnni) return Verdict::no("the CPU has no AVX-512 VNNI: sums of bytes would saturate");
  if (const Verdict verdict = check_cpu(query, false); !verdict.applies) return verdict;
  if (query.input(Inputs::kX).type.shape.rank() != 4) return Verdict::no("only two-dimensional images");
  if (query.has(Inputs::kWeightOffset)) return Verdict::no("weights with a zero point have no oneDNN form");
  if (query.has(Inputs::kInputTable)) return Verdict::no("a table for the input has no oneDNN form");
  for (const int i : {Inputs::kWeight, Inputs::kMultiplier, Inputs::kBias})
    if (query.has(i) && !query.constant(i)) return Verdict::no("operand {} is not constant", i);
  if (element_count(query.output_dims()) == 0 || query.constant(Inputs::kWeight)->count() == 0)
    return Verdict::no("empty result");
  if (query.has(Inputs::kResidual) && query.input(Inputs::kResidual).is_constant())
    return Verdict::no("the residual is constant");
  if (query.has(Inputs::kResidual) && query.output().type.dtype != DType::kU8)
    return Verdict::no("bytes cannot be added in the place of an f32 result");
  return Verdict::yes();
}

Result<ConvProblem> read_problem(const TacticQuery& query) {
  FOVEA_TRY(ConvProblem problem, read_conv_geometry(query));
  FOVEA_TRY(const auto y, read_quantised(query.node, "y"));
  FOVEA_TRY(const auto residual, read_quantised(query.node, "residual"));
  FOVEA_TRY(const auto middle, read_quantised(query.node, "middle"));
  if (middle) return unsupported("quantising twice has no oneDNN form");
  FOVEA_TRY(const std::int64_t x_zero_point, AttributeReader(query.node).integer("x_zero_point", 0));
  problem.bias = query.has(Inputs::kBias);
  problem.residual = query.has(Inputs::kResidual);
  IntegerScales& scales = problem.integer.emplace();
  scales.multiplier = query.constant(Inputs::kMultiplier)->to_floats();
  scales.x_zero_point = static_cast<std::int32_t>(x_zero_point);
  if (y) scales.y_scale = y->scale, scales.y_zero_point = static_cast<std::int32_t>(y->zero_point);
  if (residual) {
    scales.residual_scale = residual->scale;
    scales.residual_zero_point = static_cast<std::int32_t>(residual->zero_point);
  }
  if (std::find(scales.multiplier.begin(), scales.multiplier.end(), 0.0f) != scales.multiplier.end())
    return unsupported("a multiplier of 0 cannot scale the bias back");
  return problem;
}

}  // namespace

Verdict applies_qconv(const TacticQuery& query) {
  if (const Verdict verdict = check_operands(query); !verdict.applies) return verdict;
  const auto problem = read_problem(query);
  return problem.ok() ? Verdict::yes() : Verdict::no("{}", problem.error().text());
}

Verdict confirm_qconv(const TacticQuery& query) { return check_kernel(read_problem(query)); }

TacticLayouts layouts_qconv(const TacticQuery& query) {
  TacticLayouts layouts = channels_last_layouts(query);
  if (query.has(Inputs::kResidual)) layouts.in_place_input = Inputs::kResidual;
  return layouts;
}

double cost_qconv(const TacticQuery& query) {
  const auto problem = read_problem(query);
  if (!problem.ok()) return 1e9;
  // Of f32 rates. On VNNI Fovea's own kernels come first: resnet50 is 3 % faster on Zen 4, one thread.
  constexpr double kOfF32 = 2.0;
  return estimate_us(query, kOfF32 * tile_gain(query, *problem) * expected_gmacs_per_s(*problem), 20.0, 2.0);
}

Result<std::unique_ptr<Step>> build_qconv(const TacticQuery& query) {
  FOVEA_TRY(const ConvProblem problem, read_problem(query));
  const ConvWeights weights = oihw_weights(*query.constant(Inputs::kWeight));
  std::vector<float> bias;
  if (problem.bias) {
    bias = query.constant(Inputs::kBias)->to_floats();
    for (std::size_t o = 0; o < bias.size(); ++o) bias[o] /= problem.integer->multiplier[o];
  }
  FOVEA_TRY(Program program,
            make_conv_program(problem, weights, std::move(bias), query.input_dims(Inputs::kX)[0], Inputs::kResidual));
  return make_primitive_step(std::move(program), query.threads);
}

}  // namespace fovea::onednn
