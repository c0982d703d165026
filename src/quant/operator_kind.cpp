#include "quant/operator_kind.h"

#include <set>
#include <string_view>

#include "ops/op_spec.h"

namespace fovea::quant {
namespace {

const Tensor* constant(const Graph& graph, const Node& node, std::size_t i) {
  if (i >= node.inputs.size() || node.inputs[i] == kNoValue) return nullptr;
  return graph.value(node.inputs[i]).constant.get();
}

const Shape& shape_of(const Graph& graph, const Node& node, std::size_t i) {
  return graph.value(node.inputs[i]).type.shape;
}

bool is_single_f32_output(const Graph& graph, const Node& node) {
  if (node.outputs.empty() || node.outputs[0] == kNoValue) return false;
  for (std::size_t i = 1; i < node.outputs.size(); ++i)
    if (node.outputs[i] != kNoValue) return false;
  return graph.value(node.outputs[0]).type.dtype == DType::kF32;
}

// A bias that is omitted or holds one constant for each filter.
bool has_plain_bias(const Graph& graph, const Node& node, std::int64_t filters) {
  if (node.inputs.size() < 3 || node.inputs[2] == kNoValue) return true;
  const Tensor* bias = constant(graph, node, 2);
  return bias && bias->dtype() == DType::kF32 && bias->count() == filters &&
         (bias->rank() == 1 || (bias->rank() == 2 && bias->dim(0) == 1));
}

std::optional<ProductWeights> gemm_weights(const Node& node) {
  const AttributeReader attributes(node);
  const auto alpha = attributes.real("alpha", 1.0f), beta = attributes.real("beta", 1.0f);
  const auto a = attributes.integer("transA", 0), b = attributes.integer("transB", 0);
  if (!alpha.ok() || !beta.ok() || !a.ok() || !b.ok() || *alpha != 1 || *beta != 1 || *a != 0) return std::nullopt;
  return ProductWeights{*b != 0 ? 0 : 1, 0};
}

bool is_scalar(const Graph& graph, const Node& node, std::size_t i) {
  const Tensor* t = constant(graph, node, i);
  return t && t->count() == 1;
}

bool moves_elements(std::string_view op) {
  static const std::set<std::string_view> ops = {"MaxPool",   "Reshape", "Flatten",      "Transpose",   "Squeeze",
                                                 "Unsqueeze", "Slice",   "DepthToSpace", "SpaceToDepth"};
  return ops.count(op) > 0;
}

bool is_unary(std::string_view op) {
  static const std::set<std::string_view> ops = {"Relu",      "Clip", "LeakyRelu", "Elu",      "Sigmoid", "HardSigmoid",
                                                 "HardSwish", "Tanh", "Softplus",  "Softsign", "Gelu",    "Mish",
                                                 "Celu",      "Selu", "Erf",       "Abs",      "Neg"};
  return ops.count(op) > 0;
}

bool takes_scalars(std::string_view op) {
  static const std::set<std::string_view> ops = {"Add", "Sub", "Mul", "Div", "Min", "Max", "Pow"};
  return ops.count(op) > 0;
}

bool broadcasts_over_pixels(const Shape& small, const Shape& large) {
  return small.rank() == 4 && large.rank() == 4 && small[1] == large[1] && small[2] == Dim(1) && small[3] == Dim(1) &&
         small[0] == large[0];
}

OperatorKind kind_of_two_operands(const Graph& graph, const Node& node) {
  const Shape &a = shape_of(graph, node, 0), &b = shape_of(graph, node, 1);
  const bool same = a.is_ranked() && a == b;
  if (!same && !broadcasts_over_pixels(a, b) && !broadcasts_over_pixels(b, a)) return OperatorKind::kFloat;
  if (node.op == "Add") return OperatorKind::kSum;
  return node.op == "Mul" ? OperatorKind::kMultiply : OperatorKind::kFloat;
}

// Whether everything but the first input is constant: bounds of Clip, the shape of Reshape.
bool only_first_is_computed(const Graph& graph, const Node& node) {
  for (std::size_t i = 1; i < node.inputs.size(); ++i)
    if (node.inputs[i] != kNoValue && !constant(graph, node, i)) return false;
  return true;
}

}  // namespace

std::optional<ProductWeights> product_weights(const Graph& graph, const Node& node) {
  if ((node.op != "Conv" && node.op != "Gemm" && node.op != "MatMul") || node.inputs.size() < 2) return std::nullopt;
  const Tensor* weights = constant(graph, node, 1);
  if (!weights || weights->dtype() != DType::kF32 || weights->count() == 0 || constant(graph, node, 0))
    return std::nullopt;
  const int rank = node.op == "Conv" ? 4 : 2;
  if (weights->rank() != rank || shape_of(graph, node, 0).rank() != rank) return std::nullopt;
  ProductWeights out;
  if (node.op == "MatMul") out.filter_axis = 1;
  if (node.op == "Gemm") {
    const auto gemm = gemm_weights(node);
    if (!gemm) return std::nullopt;
    out = *gemm;
  }
  out.filters = weights->dim(out.filter_axis);
  if (!has_plain_bias(graph, node, out.filters)) return std::nullopt;
  return out;
}

OperatorKind kind_of(const Graph& graph, const Node& node) {
  if (!is_single_f32_output(graph, node) || node.inputs.empty() || node.inputs[0] == kNoValue)
    return OperatorKind::kFloat;
  if (product_weights(graph, node)) return OperatorKind::kProduct;
  if (node.op == "AveragePool" || node.op == "GlobalAveragePool")
    return shape_of(graph, node, 0).rank() == 4 ? OperatorKind::kAverage : OperatorKind::kFloat;
  if (node.op == "Concat") {
    for (std::size_t i = 0; i < node.inputs.size(); ++i)
      if (constant(graph, node, i)) return OperatorKind::kFloat;
    return OperatorKind::kConcat;
  }
  if (constant(graph, node, 0) && !takes_scalars(node.op)) return OperatorKind::kFloat;
  if (moves_elements(node.op))
    return only_first_is_computed(graph, node) ? OperatorKind::kMovement : OperatorKind::kFloat;
  if (is_unary(node.op)) return only_first_is_computed(graph, node) ? OperatorKind::kElementwise : OperatorKind::kFloat;
  if (!takes_scalars(node.op) || node.inputs.size() != 2 || node.inputs[1] == kNoValue) return OperatorKind::kFloat;
  if (constant(graph, node, 0) && constant(graph, node, 1)) return OperatorKind::kFloat;
  for (std::size_t scalar : {0u, 1u})  // a scalar of a higher rank would add axes to the result
    if (is_scalar(graph, node, scalar) && graph.value(node.outputs[0]).type.shape == shape_of(graph, node, 1 - scalar))
      return OperatorKind::kElementwise;
  if (constant(graph, node, 0) || constant(graph, node, 1)) return OperatorKind::kFloat;
  return kind_of_two_operands(graph, node);
}

std::vector<int> data_inputs(const Graph& graph, const Node& node, OperatorKind kind) {
  switch (kind) {
    case OperatorKind::kFloat:
      return {};
    case OperatorKind::kProduct:
    case OperatorKind::kAverage:
    case OperatorKind::kMovement:
      return {0};
    case OperatorKind::kElementwise:
      return {constant(graph, node, 0) ? 1 : 0};
    case OperatorKind::kSum:
    case OperatorKind::kMultiply:
      return {0, 1};
    case OperatorKind::kConcat: {
      std::vector<int> all;
      for (std::size_t i = 0; i < node.inputs.size(); ++i) all.push_back(static_cast<int>(i));
      return all;
    }
  }
  throw CheckFailure("data_inputs: unknown kind");
}

}  // namespace fovea::quant
