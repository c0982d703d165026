// FusedLookup: any function of one 8-bit value by a table of its 256 results, or by one table a channel.
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {

// Fovea's own target operator, never saved to a file: X u8, table u8 [256]; Y u8 of X's shape, y = table[x]. With a
// table [C,256], C being the channels (axis 1) of X, y = table[channel, x].
Status infer_lookup(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", {DType::kU8}));
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "table", {DType::kU8}));
  const Shape &x = context.shape(0), &table = context.shape(1);
  const bool by_channel = table.is_ranked() && table.rank() == 2 && x.is_ranked() && x.rank() > 1;
  const Shape expected = by_channel ? Shape({x[1], Dim(256)}) : Shape(Dims{256});
  FOVEA_RETURN_IF_ERROR(expect_shape(context, 1, "table", expected, "one result a value of X"));
  return add_output(context, DType::kU8, context.shape(0));
}

Status evaluate_lookup(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_lookup));
  FOVEA_TRY(Tensor y, new_output(checked));
  const auto x = context.input(0).as<std::uint8_t>(), table = context.input(1).as<std::uint8_t>();
  const auto out = y.as<std::uint8_t>();
  const std::size_t channels = table.size() / 256;
  std::size_t inner = 1;  // elements of one channel of one image
  if (channels > 1)
    for (int axis = 2; axis < context.input(0).rank(); ++axis)
      inner *= static_cast<std::size_t>(context.input(0).dim(axis));
  for (std::size_t i = 0; i < x.size(); ++i) out[i] = table[i / inner % channels * 256 + x[i]];
  context.outputs.push_back(std::move(y));
  return {};
}

}  // namespace fovea::ops
