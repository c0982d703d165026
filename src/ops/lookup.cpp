// FusedLookup: any function of one 8-bit value by a table of its 256 results.
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {

// Fovea's own target operator, never saved to a file: X u8, table u8 [256]; Y u8 of X's shape, y = table[x].
Status infer_lookup(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", {DType::kU8}));
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "table", {DType::kU8}));
  FOVEA_RETURN_IF_ERROR(expect_shape(context, 1, "table", Shape(Dims{256}), "one result a value of X"));
  return add_output(context, DType::kU8, context.shape(0));
}

Status evaluate_lookup(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_lookup));
  FOVEA_TRY(Tensor y, new_output(checked));
  const auto x = context.input(0).as<std::uint8_t>(), table = context.input(1).as<std::uint8_t>();
  const auto out = y.as<std::uint8_t>();
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = table[x[i]];
  context.outputs.push_back(std::move(y));
  return {};
}

}  // namespace fovea::ops
