#include "passes/quantised_table.h"

#include <algorithm>
#include <map>
#include <set>

#include "ops/evaluate.h"

namespace fovea::passes {
namespace {

constexpr std::size_t kMaxNodes = 32;

bool is_elementwise(std::string_view op) {
  static const std::set<std::string_view> ops = {
      "Relu",  "Clip",     "LeakyRelu", "Elu",  "Sigmoid",  "HardSigmoid", "HardSwish", "Tanh",
      "Erf",   "Exp",      "Log",       "Sqrt", "Abs",      "Neg",         "Floor",     "Ceil",
      "Round", "Softplus", "Gelu",      "Mish", "Softsign", "Celu",        "Selu",      "Add",
      "Sub",   "Mul",      "Div",       "Pow",  "Min",      "Max",         "Identity",  "Reciprocal"};
  return ops.count(op) > 0;
}

// The constant behind a value, also behind a DequantizeLinear of constants; null if there is none.
const Tensor* constant_of(const Graph& graph, ValueId value) {
  if (value == kNoValue) return nullptr;
  if (const auto& constant = graph.value(value).constant) return constant.get();
  const NodeId producer = graph.value(value).producer;
  if (producer == kNoNode || graph.node(producer).op != "DequantizeLinear") return nullptr;
  const auto& inputs = graph.node(producer).inputs;
  const bool scalars = std::all_of(inputs.begin(), inputs.end(), [&](ValueId v) {
    return v == kNoValue || (graph.value(v).constant && graph.value(v).constant->count() == 1);
  });
  return scalars ? graph.value(inputs[0]).constant.get() : nullptr;
}

// [1,C,1,1] or [C,1,1], C > 1: the channels that a constant of a rank-4 value has, else 0.
std::int64_t channels_of(const Tensor& constant) {
  const int axis = constant.rank() - 3;
  return (axis == 0 || axis == 1) && constant.dim(axis) == constant.count() ? constant.count() : 0;
}

bool is_elementwise_constant(const Graph& graph, ValueId value, const Shape& result) {
  const Tensor* constant = constant_of(graph, value);
  if (constant == nullptr) return false;
  if (constant->count() == 1) return true;
  const bool image = result.is_ranked() && result.rank() == 4;
  return image && constant->count() > 0 && result[1] == Dim(channels_of(*constant));
}

// Evaluates a value for all 256 inputs, each node once.
class Table {
 public:
  Table(const Graph& graph, ValueId source, Tensor inputs) : graph_(graph) { values_[source] = std::move(inputs); }

  Result<const Tensor*> value(ValueId id) {
    if (const auto found = values_.find(id); found != values_.end()) return &found->second;
    if (const auto& constant = graph_.value(id).constant) {  // beside [256] or [C,256] inputs, whatever its rank
      return &(values_[id] = constant->reshaped(constant->count() == 1 ? Dims{} : Dims{constant->count(), 1}));
    }
    const Node& node = graph_.node(graph_.value(id).producer);
    std::vector<const Tensor*> operands;
    for (ValueId input : node.inputs) {
      operands.push_back(nullptr);
      if (input == kNoValue) continue;
      FOVEA_TRY(operands.back(), value(input));
    }
    FOVEA_TRY(std::vector<Tensor> results, evaluate_node(node, operands));
    return &(values_[id] = std::move(results[0]));
  }

 private:
  const Graph& graph_;
  std::map<ValueId, Tensor> values_;
};

}  // namespace

std::optional<ValueId> find_elementwise_source(const Graph& graph, ValueId result,
                                               const std::function<bool(ValueId)>& is_source) {
  const Shape& shape = graph.value(result).type.shape;
  std::optional<ValueId> source;
  std::set<ValueId> seen;
  std::vector<ValueId> open = {result};
  while (!open.empty()) {
    const ValueId v = open.back();
    open.pop_back();
    if (v == kNoValue || is_elementwise_constant(graph, v, shape) || !seen.insert(v).second) continue;
    if (is_source(v)) {
      if (source && *source != v) return std::nullopt;
      source = v;
      continue;
    }
    const NodeId producer = graph.value(v).producer;
    if (producer == kNoNode || seen.size() > kMaxNodes || !is_elementwise(graph.node(producer).op)) return std::nullopt;
    if (graph.value(v).type.dtype != DType::kF32) return std::nullopt;
    const Node& node = graph.node(producer);
    open.insert(open.end(), node.inputs.begin(), node.inputs.end());
  }
  // Scalars of a higher rank would have broadcast the result to it.
  if (source && !(graph.value(*source).type.shape == shape)) return std::nullopt;
  return source;
}

Result<Tensor> tabulate(const Graph& graph, ValueId source, const Quantised& x, ValueId result, const Quantised& y) {
  Tensor inputs(DType::kF32, {256});
  for (int i = 0; i < 256; ++i)
    inputs.as<float>()[static_cast<std::size_t>(i)] = static_cast<float>(i - static_cast<int>(x.zero_point)) * x.scale;
  Table table(graph, source, std::move(inputs));
  FOVEA_TRY(const Tensor* real, table.value(result));
  const Tensor scale = Tensor::scalar(y.scale), zero_point = Tensor::scalar(static_cast<std::uint8_t>(y.zero_point));
  const Node quantize{"table", "QuantizeLinear", {0, 1, 2}, {3}, {}, true};
  const Tensor* operands[] = {real, &scale, &zero_point};
  FOVEA_TRY(const std::vector<Tensor> bytes, evaluate_node(quantize, operands));
  return bytes[0];
}

}  // namespace fovea::passes
