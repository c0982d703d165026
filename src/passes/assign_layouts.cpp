#include <set>

#include "graph/patch.h"
#include "passes/pass.h"

namespace fovea::passes {
namespace {

// Operators whose kernels work on channels-last images, whatever their neighbours do.
bool wants_channels_last(std::string_view op) {
  static const std::set<std::string_view> ops = {"FusedConv", "MaxPool", "AveragePool", "GlobalAveragePool",
                                                 "GlobalMaxPool", "LRN", "Resize", "DepthToSpace", "SpaceToDepth",
                                                 "FusedQConv", "FusedQAveragePool"};
  return ops.count(op) > 0;
}

// Operators that work in either order and follow their operands.
bool follows_operands(std::string_view op) {
  static const std::set<std::string_view> ops = {
      "Add",  "Sub",   "Mul",   "Div",  "Pow",  "Min",  "Max",       "Sum",   "Relu",  "Clip",       "LeakyRelu",
      "Elu",  "PRelu", "Tanh",  "Exp",  "Sqrt", "Abs",  "HardSwish", "Erf",   "Log",   "HardSigmoid", "Sigmoid",
      "Cast", "Floor", "Ceil",  "Neg",  "Concat", "Slice", "Split", "Pad", "FusedLookup", "FusedQBinary", "QuantizeLinear",
      "DequantizeLinear", "BatchNormalization", "Identity"};
  return ops.count(op) > 0;
}

// Images of few channels change their order on the way to bytes, at no cost: what reads them wants them channels-last.
bool quantises_image(const Graph& graph, const Node& node) {
  constexpr std::int64_t kMaxChannels = 8;
  if (node.op != "QuantizeLinear") return false;
  const Shape& shape = graph.value(node.inputs[0]).type.shape;
  return shape.rank() == 4 && shape[1].is_fixed() && shape[1].extent() <= kMaxChannels;
}

}  // namespace

Status assign_layouts(Graph& graph, const PassOptions& options) {
  GraphPatch patch(graph, "assign layouts");
  std::vector<bool> last(graph.values().size(), false);
  const auto is_image = [&](ValueId v) { return v != kNoValue && graph.value(v).type.shape.rank() == 4; };
  const auto mark = [&](ValueId v) {
    last[static_cast<std::size_t>(v)] = true;
    patch.set_layout(v, Layout::kChannelsLast);
  };
  for (ValueId v : graph.inputs())
    if (is_image(v) && options.input_layout == Layout::kChannelsLast) mark(v);
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    bool wanted = wants_channels_last(node.op) || quantises_image(graph, node);
    if (follows_operands(node.op))
      for (ValueId v : node.inputs) wanted = wanted || (v != kNoValue && last[static_cast<std::size_t>(v)]);
    if (!wanted) continue;
    for (ValueId v : node.outputs)
      if (is_image(v)) mark(v);
  }
  return patch.empty() ? Status() : std::move(patch).apply(graph);
}

}  // namespace fovea::passes
