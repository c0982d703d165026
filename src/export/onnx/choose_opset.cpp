// Which opset a graph needs, and what of it an ONNX file can hold at all.
#include <algorithm>
#include <charconv>
#include <set>

#include "export/onnx/encode_graph.h"

namespace fovea::onnx_export {
namespace {

constexpr int kFirstOpset = 13, kLastOpset = 21;

struct ExportRow {
  std::string_view op;
  std::string_view attributes;
  int opset;
};
constexpr ExportRow kRows[] = {
#define EXPORTABLE(op, attributes, opset) {#op, attributes, opset},
#include "export/onnx/exportable.inc"
#undef EXPORTABLE
};

// What an attribute, whatever its value, needs.
struct AttributeNeed {
  std::string_view op, attribute;
  int opset;
};
constexpr AttributeNeed kAttributeNeeds[] = {
    {"Reshape", "allowzero", 14},
    {"Shape", "start", 15},
    {"Shape", "end", 15},
    {"Resize", "antialias", 18},
    {"Resize", "axes", 18},
    {"Resize", "keep_aspect_ratio_policy", 18},
    {"Split", "num_outputs", 18},
    {"AveragePool", "dilations", 19},
    {"ScatterND", "reduction", 16},
    {"ScatterElements", "reduction", 16},
    {"QuantizeLinear", "block_size", 21},
    {"QuantizeLinear", "output_dtype", 21},
    {"DequantizeLinear", "block_size", 21},
};

// What the value of a text attribute needs.
struct ChoiceNeed {
  std::string_view op, attribute, value;
  int opset;
};
constexpr ChoiceNeed kChoiceNeeds[] = {
    {"Resize", "coordinate_transformation_mode", "half_pixel_symmetric", 19},
    {"Pad", "mode", "wrap", 19},
    {"ScatterND", "reduction", "max", 18},
    {"ScatterND", "reduction", "min", 18},
    {"ScatterElements", "reduction", "max", 18},
    {"ScatterElements", "reduction", "min", 18},
};

// What the element type of an operand needs, where the operator learned it after opset 13.
struct TypeNeed {
  std::string_view op;
  std::size_t input;
  std::initializer_list<DType> dtypes;
  int opset;
};
constexpr auto kSmallIntegers = {DType::kS8, DType::kU8, DType::kS16, DType::kU16};
const TypeNeed kTypeNeeds[] = {
    {"Add", 0, kSmallIntegers, 14},
    {"Sub", 0, kSmallIntegers, 14},
    {"Mul", 0, kSmallIntegers, 14},
    {"Div", 0, kSmallIntegers, 14},
    {"Relu", 0, {DType::kS8, DType::kS16, DType::kS32, DType::kS64}, 14},
    {"BatchNormalization", 0, {DType::kBf16}, 14},
    {"Pow", 1, {DType::kBf16}, 15},
    {"LeakyRelu", 0, {DType::kBf16}, 16},
    {"PRelu", 0, {DType::kBf16}, 16},
    {"Where", 1, {DType::kBf16}, 16},
    {"LessOrEqual", 0, {DType::kBf16}, 16},
    {"GreaterOrEqual", 0, {DType::kBf16}, 16},
    {"Resize", 0, {DType::kBf16}, 18},
    {"Pad", 0, {DType::kBf16}, 18},
    {"QuantizeLinear", 0, {DType::kF16, DType::kBf16}, 19},
    {"QuantizeLinear", 2, {DType::kS16, DType::kU16}, 21},
    {"DequantizeLinear", 0, {DType::kS16, DType::kU16}, 21},
    {"DequantizeLinear", 1, {DType::kF16, DType::kBf16}, 19},
};

const ExportRow* find_row(std::string_view op) {
  for (const ExportRow& row : kRows)
    if (row.op == op) return &row;
  return nullptr;
}

// Whether `name` is one of the words of `list`.
bool lists(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::string_view word = list.substr(0, list.find(' '));
    if (word == name) return true;
    list.remove_prefix(std::min(list.size(), word.size() + 1));
  }
  return false;
}

bool is_reduction(const Node& node) { return node.op.starts_with("Reduce"); }

std::string where(const Node& node) { return fmt::format("node {} ({})", node.name, node.op); }

// Reductions other than ReduceSum take their axes as an input from opset 18 on; before, they are an attribute, which
// cannot say "none" and cannot be computed.
int reduction_need(const Graph& graph, const Node& node) {
  if (!is_reduction(node) || node.op == "ReduceSum") return 0;
  const auto noop = node.attributes.find("noop_with_empty_axes");
  if (noop != node.attributes.end() && noop->second != Attribute(std::int64_t{0})) return 18;
  if (node.inputs.size() < 2 || node.inputs[1] == kNoValue) return 0;
  const auto& axes = graph.value(node.inputs[1]).constant;
  return axes && axes->dtype() == DType::kS64 && axes->count() > 0 ? 0 : 18;
}

int operand_need(const Graph& graph, const Node& node) {
  int opset = reduction_need(graph, node);
  if (node.op == "Pad" && node.inputs.size() > 3 && node.inputs[3] != kNoValue) opset = std::max(opset, 18);
  for (const TypeNeed& need : kTypeNeeds) {
    if (need.op != node.op || need.input >= node.inputs.size() || node.inputs[need.input] == kNoValue) continue;
    const DType dtype = graph.value(node.inputs[need.input]).type.dtype;
    if (std::find(need.dtypes.begin(), need.dtypes.end(), dtype) != need.dtypes.end())
      opset = std::max(opset, need.opset);
  }
  return opset;
}

// The opset one node needs.
Result<int> node_need(const Graph& graph, const Node& node) {
  const ExportRow* row = find_row(node.op);
  int opset = row->opset;
  for (const auto& [name, attribute] : node.attributes) {
    if (!lists(row->attributes, name))
      return unsupported("attribute {}: ONNX does not have it; only compiled graphs do", name);
    for (const AttributeNeed& need : kAttributeNeeds)
      if (need.op == node.op && need.attribute == name) opset = std::max(opset, need.opset);
    const auto* text = std::get_if<std::string>(&attribute);
    for (const ChoiceNeed& need : kChoiceNeeds)
      if (text && need.op == node.op && need.attribute == name && need.value == *text)
        opset = std::max(opset, need.opset);
  }
  return std::max(opset, operand_need(graph, node));
}

// The opset the graph came from, at least the first one written.
int source_opset(const Graph& graph) {
  int opset = kFirstOpset;
  if (const auto found = graph.metadata.find("opset"); found != graph.metadata.end())
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), opset);
  return std::clamp(opset, kFirstOpset, kLastOpset);
}

Status check_operators(const Graph& graph) {
  std::set<std::string> unknown;
  for (const Node& node : graph.nodes())
    if (node.alive && !is_exportable(node.op)) unknown.insert(fmt::format("{} (node {})", node.op, node.name));
  if (unknown.empty()) return {};
  return unsupported("ONNX has no operator for {}; only compiled graphs hold such nodes", fmt::join(unknown, ", "));
}

}  // namespace

bool is_exportable(std::string_view op) { return find_row(op) != nullptr; }

bool has_axes_attribute(const Node& node, int opset) {
  return is_reduction(node) && node.op != "ReduceSum" && opset < 18;
}

Result<int> choose_opset(const Graph& graph, const ExportOptions& options) {
  if (options.opset != 0 && (options.opset < kFirstOpset || options.opset > kLastOpset))
    return make_error(ErrorCode::kUsage, "opset {}: expected {} to {}", options.opset, kFirstOpset, kLastOpset);
  FOVEA_RETURN_IF_ERROR(check_operators(graph));
  int opset = options.opset != 0 ? options.opset : source_opset(graph);
  for (const Node& node : graph.nodes()) {
    if (!node.alive) continue;
    auto need = node_need(graph, node);
    if (!need.ok()) return std::move(need).error().within(where(node));
    if (options.opset != 0 && *need > opset)
      return unsupported("{}: needs opset {}, asked for {}", where(node), *need, options.opset);
    opset = std::max(opset, *need);
  }
  return opset;
}

}  // namespace fovea::onnx_export
