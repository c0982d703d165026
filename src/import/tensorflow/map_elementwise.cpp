// Element-wise operators: they work in whichever order their operands are held.
#include <map>

#include "import/tensorflow/node_context.h"
#include "ops/onnx_element_type.h"

namespace fovea::tensorflow_import {
namespace {

// The operand of a unary operator and whether it is held channels first.
struct Operand {
  ValueId value = kNoValue;
  bool is_image = false;
};

Operand operand(NodeContext& node) {
  Held& held = node.input(0);
  return held.is_image() ? Operand{held.channels_first, true} : Operand{node.value(0), false};
}

DType dtype_of(NodeContext& node, ValueId value) { return node.store.builder.graph().value(value).type.dtype; }

}  // namespace

Status map_unary(NodeContext& node) {
  static const std::map<std::string, std::string> canonical = {{"LogicalNot", "Not"}};
  const auto renamed = canonical.find(node.op);
  const Operand x = operand(node);
  return node.give_image(node.call(renamed == canonical.end() ? node.op : renamed->second, "", {x.value}), x.is_image);
}

Status map_relu6(NodeContext& node) {
  const Operand x = operand(node);
  const DType dtype = dtype_of(node, x.value);
  const ValueId low = node.constant_value("low", scalar_of(dtype, 0));
  const ValueId high = node.constant_value("high", scalar_of(dtype, 6));
  return node.give_image(node.call("Clip", "", {x.value, low, high}), x.is_image);
}

Status map_leaky_relu(NodeContext& node) {
  const Operand x = operand(node);
  const float alpha = node.attributes.real("alpha", 0.2f);
  return node.give_image(node.call("LeakyRelu", "", {x.value}, {{"alpha", alpha}}), x.is_image);
}

Status map_rsqrt(NodeContext& node) {
  const Operand x = operand(node);
  const ValueId root = node.call("Sqrt", "root", {x.value});
  return node.give_image(node.call("Reciprocal", "", {root}), x.is_image);
}

Status map_square(NodeContext& node) {
  const Operand x = operand(node);
  return node.give_image(node.call("Mul", "", {x.value, x.value}), x.is_image);
}

Status map_cast(NodeContext& node) {
  const int from = node.attributes.type("SrcT", 0), to = node.attributes.type("DstT", 0);
  FOVEA_TRY(const DType source, decode_dtype(from));
  FOVEA_TRY(const DType target, decode_dtype(to));
  if (is_quantised(from) || is_quantised(to)) return unsupported("a cast from or to quantised elements");
  // Casts between floats of 16 and 32 bits are no more, because all are f32 here; those of extents stay integers.
  if (source == target || (node.input(0).extents && is_integer(target))) return node.give_input(0);
  const Operand x = operand(node);
  return node.give_image(node.call("Cast", "", {x.value}, {{"to", onnx_number_of(target)}}), x.is_image);
}

// Along the last axis.
Status map_softmax(NodeContext& node) {
  const Operand x = operand(node);
  return node.give_image(node.call(node.op, "", {x.value}, {{"axis", std::int64_t{x.is_image ? 1 : -1}}}), x.is_image);
}

Status map_binary(NodeContext& node) {
  static const std::map<std::string, std::string> canonical = {{"AddV2", "Add"},
                                                               {"RealDiv", "Div"},
                                                               {"Maximum", "Max"},
                                                               {"Minimum", "Min"},
                                                               {"LogicalAnd", "And"},
                                                               {"LogicalOr", "Or"},
                                                               {"GreaterEqual", "GreaterOrEqual"},
                                                               {"LessEqual", "LessOrEqual"}};
  const auto renamed = canonical.find(node.op);
  if (node.op == "Mul" && (node.input(0).extents || node.input(1).extents)) {
    const auto a = node.extents(0), b = node.extents(1);
    if (a && b && a->size() == 1 && b->size() == 1) {
      constexpr std::int64_t kMost = std::int64_t{1} << 23;
      const std::int64_t x = (*a)[0].extent(), y = (*b)[0].extent();
      if (x > kMost || y > kMost) return bad_input("extents {} and {} are too large to multiply", x, y);
      const Dim product = x >= 0 && y >= 0 ? Dim(x * y) : Dim();
      const bool scalar = node.shape(0).rank() == 0 && node.shape(1).rank() == 0;
      return node.give(Held{.extents = std::vector<Dim>{product}, .extents_are_scalar = scalar});
    }
  }
  const bool image = node.any_image();
  FOVEA_TRY(const ValueId a, node.aligned(0, image));
  FOVEA_TRY(const ValueId b, node.aligned(1, image));
  return node.give_image(node.call(renamed == canonical.end() ? node.op : renamed->second, "", {a, b}), image);
}

Status map_squared_difference(NodeContext& node) {
  const bool image = node.any_image();
  FOVEA_TRY(const ValueId a, node.aligned(0, image));
  FOVEA_TRY(const ValueId b, node.aligned(1, image));
  const ValueId difference = node.call("Sub", "difference", {a, b});
  return node.give_image(node.call("Mul", "", {difference, difference}), image);
}

Status map_add_n(NodeContext& node) {
  const bool image = node.any_image();
  std::vector<ValueId> terms;
  for (int i = 0; i < node.input_count(); ++i) {
    FOVEA_TRY(terms.emplace_back(), node.aligned(i, image));
  }
  // Two terms are an Add, which convolutions take in.
  return node.give_image(node.call(terms.size() == 2 ? "Add" : "Sum", "", std::move(terms)), image);
}

}  // namespace fovea::tensorflow_import
