#include "ops/evaluate.h"

#include <algorithm>

#include "ops/infer.h"

namespace fovea {
namespace {

bool is_small_float(DType d) { return d == DType::kF16 || d == DType::kBf16; }

// Operators that read or write 16-bit floats themselves: type conversions, and those that only move elements.
bool handles_small_floats(std::string_view op) {
  return op == "Cast" || op == "CastLike" || op == "Shape" || op == "ConstantOfShape" || op == "QuantizeLinear" ||
         op == "DequantizeLinear";
}

}  // namespace

Result<std::vector<Tensor>> evaluate_node(const Node& node, std::span<const Tensor* const> inputs) {
  std::vector<InferContext::Operand> operands;
  for (const Tensor* t : inputs) {
    if (t)
      operands.push_back({t->type(), t, true});
    else
      operands.emplace_back();
  }
  FOVEA_TRY(const std::vector<TensorType> types, infer_node(node, std::move(operands)));

  std::vector<const Tensor*> actual(inputs.begin(), inputs.end());
  std::vector<Tensor> widened(inputs.size());
  if (!handles_small_floats(node.op))
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i] && is_small_float(inputs[i]->dtype())) {
        widened[i] = inputs[i]->cast(DType::kF32);
        actual[i] = &widened[i];
      }
  EvalContext context(node, actual);
  if (Status status = find_op(node.op)->evaluate(context); !status.ok())
    return std::move(status).error().within(fmt::format("evaluating node {} ({})", node.name, node.op));
  for (std::size_t i = 0; i < context.outputs.size() && i < types.size(); ++i)
    if (is_small_float(types[i].dtype) && context.outputs[i].dtype() == DType::kF32)
      context.outputs[i] = context.outputs[i].cast(types[i].dtype);
  return std::move(context.outputs);
}

Result<Evaluation> evaluate_graph(const Graph& graph, std::span<const Tensor> inputs, bool keep) {
  if (inputs.size() != graph.inputs().size())
    return bad_input("the graph takes {} inputs, found {}", graph.inputs().size(), inputs.size());
  std::vector<Tensor> computed(graph.values().size());
  std::vector<const Tensor*> values(graph.values().size(), nullptr);
  std::vector<int> remaining(graph.values().size(), 0);  // uses left, after which a tensor may go
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const Value& input = graph.value(graph.inputs()[i]);
    if (input.type.dtype != inputs[i].dtype() || !input.type.shape.may_equal(Shape(inputs[i].dims())))
      return bad_input("input {}: expected {}, found {}", input.name, input.type.text(), inputs[i].type().text());
    values[static_cast<std::size_t>(graph.inputs()[i])] = &inputs[i];
  }
  const auto uses = graph.uses();
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (graph.values()[i].is_constant()) values[i] = graph.values()[i].constant.get();
    remaining[i] = static_cast<int>(uses[i].size());
  }
  for (const GraphOutput& output : graph.outputs()) ++remaining[static_cast<std::size_t>(output.value)];

  Evaluation evaluation;
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    std::vector<const Tensor*> operands;
    for (ValueId v : node.inputs) operands.push_back(v == kNoValue ? nullptr : values[static_cast<std::size_t>(v)]);
    FOVEA_TRY(std::vector<Tensor> results, evaluate_node(node, operands));
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      if (node.outputs[i] == kNoValue) continue;
      FOVEA_CHECK(i < results.size());
      const auto v = static_cast<std::size_t>(node.outputs[i]);
      if (keep) evaluation.values[graph.values()[v].name] = results[i];
      computed[v] = std::move(results[i]);
      values[v] = &computed[v];
    }
    for (ValueId v : node.inputs)
      if (v != kNoValue && --remaining[static_cast<std::size_t>(v)] == 0) computed[static_cast<std::size_t>(v)] = Tensor();
  }
  for (const GraphOutput& output : graph.outputs())
    evaluation.outputs.push_back(*values[static_cast<std::size_t>(output.value)]);
  return evaluation;
}

}  // namespace fovea
