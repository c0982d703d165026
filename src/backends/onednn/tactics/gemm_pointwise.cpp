// Gemm and MatMul with a constant right matrix as a 1×1 convolution over the rows of the left one: the convolution
// kernels accumulate an element in the same order whatever the number of rows, which a GEMM does not promise.
#include "backends/onednn/conv_program.h"
#include "backends/onednn/narrowed_step.h"
#include "backends/onednn/operands.h"
#include "backends/onednn/tactics.h"

namespace fovea::onednn {
namespace {

// Y[rows, columns] = X[rows, depth] · B · alpha + bias · beta.
struct GemmReading {
  std::int64_t rows = 1, depth = 1, columns = 1;
  bool transposed = false;  // B is [columns, depth]
  float alpha = 1, beta = 1;
};

Result<GemmReading> read_gemm(const TacticQuery& query) {
  GemmReading gemm;
  const Dims x = query.input_dims(0), b = query.input_dims(1);
  if (b.size() != 2) return unsupported("the right matrix has rank {}", b.size());
  if (query.node.op == "Gemm") {
    const AttributeReader reader(query.node);
    FOVEA_TRY(const std::int64_t left_transposed, reader.integer("transA", 0));
    if (left_transposed != 0) return unsupported("the left matrix is transposed");
    FOVEA_TRY(const std::int64_t transposed, reader.integer("transB", 0));
    gemm.transposed = transposed != 0;
    FOVEA_TRY(gemm.alpha, reader.real("alpha", 1.0f));
    FOVEA_TRY(gemm.beta, reader.real("beta", 1.0f));
  }
  if (x.size() < 2) return unsupported("the left operand has rank {}", x.size());
  gemm.depth = x.back();
  gemm.rows = element_count(x) / gemm.depth;
  gemm.columns = b[gemm.transposed ? 0 : 1];
  return gemm;
}

bool has_bias(const TacticQuery& query) { return query.node.op == "Gemm" && query.has(2); }

// One value a column, or one for all.
Verdict check_bias(const TacticQuery& query, std::int64_t columns) {
  const Tensor* bias = query.constant(2);
  if (!bias) return Verdict::no("C is not constant");
  if (bias->count() != 1 && (bias->count() != columns || bias->dims().back() != columns))
    return Verdict::no("C {} is not one value a column", to_string(bias->dims()));
  return Verdict::yes();
}

ConvProblem as_convolution(const TacticQuery& query, const GemmReading& gemm) {
  ConvProblem problem;
  problem.in_channels = gemm.depth;
  problem.out_channels = gemm.columns;
  problem.in_h = problem.out_h = gemm.rows;
  problem.input = narrows_factors(query) ? DType::kBf16 : query.input(0).type.dtype;
  problem.output = query.output().type.dtype;
  problem.bias = has_bias(query);
  return problem;
}

Tensor scaled(const Tensor& tensor, float factor) {
  std::vector<float> values = tensor.to_floats();
  for (float& value : values) value *= factor;
  return Tensor::of<float>(tensor.dims(), std::span<const float>(values));
}

}  // namespace

Verdict applies_gemm(const TacticQuery& query) {
  const Tensor* right = query.constant(1);
  if (!right) return Verdict::no("the right matrix is not constant");
  if (query.constant(0)) return Verdict::no("the left matrix is constant");
  if (const Verdict verdict = check_activations(query); !verdict.applies) return verdict;
  if (!is_supported(right->dtype())) return Verdict::no("the right matrix is {}", dtype_name(right->dtype()));
  if (query.input(0).type.dtype == DType::kF32 && query.output().type.dtype != DType::kF32)
    return Verdict::no("f32 in and {} out", dtype_name(query.output().type.dtype));
  const auto gemm = read_gemm(query);
  if (!gemm.ok()) return Verdict::no("{}", gemm.error().text());
  if (has_bias(query)) return check_bias(query, gemm->columns);
  return Verdict::yes();
}

Verdict confirm_gemm(const TacticQuery& query) {
  const auto gemm = read_gemm(query);
  return check_kernel(gemm.ok() ? Result<ConvProblem>(as_convolution(query, *gemm)) : gemm.error());
}

TacticLayouts layouts_gemm(const TacticQuery& query) { return uniform_layouts(query, Layout::kRowMajor); }

// The right matrix is read from memory once, which is all that counts for few rows; the rate is the second cache's.
double cost_gemm(const TacticQuery& query) {
  const bool narrow = narrows_factors(query), bf16 = narrow || query.input(0).type.dtype == DType::kBf16;
  return estimate_us(query, bf16 ? 100.0 : 52.0, 20.0, 2.0) + (narrow ? narrowing_us(query) : 0.0);
}

Result<std::unique_ptr<Step>> build_gemm(const TacticQuery& query) {
  FOVEA_TRY(const GemmReading gemm, read_gemm(query));
  const ConvProblem problem = as_convolution(query, gemm);
  Tensor right = *query.constant(1);
  if (gemm.alpha != 1.0f) right = scaled(right, gemm.alpha);
  ConvWeights weights{right.raw(), right.dtype(), {1, gemm.columns, 1, 1}};
  if (gemm.transposed) weights.strides = {gemm.depth, 1, 1, 1};
  std::vector<float> bias;
  if (problem.bias) {
    bias = query.constant(2)->to_floats();
    if (bias.size() == 1) bias.assign(static_cast<std::size_t>(gemm.columns), bias[0]);
    for (float& value : bias) value *= gemm.beta;
  }
  FOVEA_TRY(Program program, make_conv_program(problem, weights, std::move(bias), 1));
  auto step = make_primitive_step(std::move(program), query.threads);
  return narrows_factors(query) ? make_narrowed_step(std::move(step), count_of(query.input(0))) : std::move(step);
}

}  // namespace fovea::onednn
