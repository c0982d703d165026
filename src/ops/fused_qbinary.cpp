#include "ops/fused_qbinary.h"

#include <algorithm>

#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/quantisation.h"
#include "ops/strided.h"

namespace fovea {
namespace {

Result<Quantised> read_required(const Node& node, std::string_view prefix) {
  FOVEA_TRY(const auto quantised, read_quantised(node, prefix));
  if (!quantised) return bad_input("attribute {}_scale: missing, and it has no default", prefix);
  return *quantised;
}

}  // namespace

Result<FusedQBinary> read_fused_qbinary(const Node& node) {
  FusedQBinary out;
  FOVEA_TRY(const std::string function, AttributeReader(node).text("function"));
  if (function != "add" && function != "mul")
    return bad_input("attribute function: expected add or mul, found {}", function);
  out.function = function == "add" ? FusedQBinary::Function::kAdd : FusedQBinary::Function::kMul;
  FOVEA_TRY(out.a, read_required(node, "a"));
  FOVEA_TRY(out.b, read_required(node, "b"));
  FOVEA_TRY(out.y, read_required(node, "y"));
  FOVEA_TRY(out.activation, read_activation(node));
  using enum ActivationKind;
  if (const auto kind = out.activation.kind; kind != kNone && kind != kRelu && kind != kClip)
    return bad_input("attribute activation: expected none, relu or clip, found {}", activation_name(kind));
  return out;
}

void write_fused_qbinary(const FusedQBinary& binary, Attributes& attributes) {
  attributes["function"] = std::string(binary.function == FusedQBinary::Function::kAdd ? "add" : "mul");
  write_quantised(binary.a, "a", attributes);
  write_quantised(binary.b, "b", attributes);
  write_quantised(binary.y, "y", attributes);
  write_activation(binary.activation, attributes);
}

namespace ops {
namespace {

// One value a channel (of all images or of each) for images of shape `a`.
bool is_per_channel(const Shape& a, const Shape& b) {
  if (a.rank() < 3 || b.rank() != a.rank() || !b[1].may_equal(a[1])) return false;
  if (!(b[0] == Dim(1)) && !b[0].may_equal(a[0])) return false;
  return std::all_of(b.dims().begin() + 2, b.dims().end(), [](const Dim& d) { return d == Dim(1); });
}

double activated(const Activation& activation, double value) {
  if (activation.kind == ActivationKind::kRelu) return std::max(value, 0.0);
  if (activation.kind == ActivationKind::kClip)
    return std::min(std::max(value, static_cast<double>(activation.a)), static_cast<double>(activation.b));
  return value;
}

}  // namespace

Status infer_fused_qbinary(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "A", {DType::kU8}));
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "B", {DType::kU8}));
  FOVEA_TRY([[maybe_unused]] const FusedQBinary binary, read_fused_qbinary(context.node()));
  const Shape &a = context.shape(0), &b = context.shape(1);
  if (a.is_ranked() && b.is_ranked() && !a.may_equal(b) && !is_per_channel(a, b))
    return bad_input("operand B: expected the shape of A {} or one value a channel of it, found {}", a.text(),
                     b.text());
  return add_output(context, DType::kU8, a);
}

Status evaluate_fused_qbinary(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_fused_qbinary));
  FOVEA_TRY(Tensor y, new_output(checked));
  FOVEA_TRY(const FusedQBinary binary, read_fused_qbinary(context.node()));
  const IntegerRange range = range_of(DType::kU8);
  const auto a = context.input(0).as<std::uint8_t>(), b = context.input(1).as<std::uint8_t>();
  const auto out = y.as<std::uint8_t>();
  const auto real = [](int value, const Quantised& q) {
    return static_cast<double>(value - q.zero_point) * static_cast<double>(q.scale);
  };
  Dims b_strides = row_major_strides(context.input(1).dims());
  for (std::size_t i = 0; i < b_strides.size(); ++i)
    if (context.input(1).dims()[i] == 1) b_strides[i] = 0;
  std::size_t i = 0;
  walk<1>(y.dims(), {b_strides}, [&](const auto& at) {
    const double x = real(a[i], binary.a), z = real(b[static_cast<std::size_t>(at[0])], binary.b);
    const double result = activated(binary.activation, binary.function == FusedQBinary::Function::kAdd ? x + z : x * z);
    out[i++] =
        static_cast<std::uint8_t>(quantised(result / binary.y.scale, static_cast<double>(binary.y.zero_point), range));
  });
  context.outputs.push_back(std::move(y));
  return {};
}

}  // namespace ops
}  // namespace fovea
