// Identity and Dropout, which is an identity outside training.
#include "ops/element_types.h"
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {

Status infer_identity(InferContext& context) { return add_output(context, context.type(0).dtype, context.shape(0)); }

Status evaluate_identity(EvalContext& context) {
  context.outputs.push_back(context.input(0));
  return {};
}

Status infer_dropout(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "data", kFloatTypes));
  if (context.has(1)) FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "ratio", kFloatTypes));
  if (context.has(2)) {
    FOVEA_RETURN_IF_ERROR(expect_type(context, 2, "training_mode", kBoolTypes));
    const Tensor* training = context.constant(2);
    if (training && training->count() > 0 && *static_cast<const std::uint8_t*>(training->raw()) != 0)
      return unsupported("operand training_mode: expected false, found true; dropout is only evaluated for inference");
  }
  FOVEA_RETURN_IF_ERROR(add_output(context, context.type(0).dtype, context.shape(0)));
  if (context.node().outputs.size() > 1) return add_output(context, DType::kBool, context.shape(0));
  return {};
}

Status evaluate_dropout(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_dropout));
  context.outputs.push_back(context.input(0));
  if (checked.outputs.size() > 1) {
    FOVEA_TRY(Tensor mask, new_output(checked, 1));
    for (bool& kept : mask.as<bool>()) kept = true;
    context.outputs.push_back(std::move(mask));
  }
  return {};
}

}  // namespace fovea::ops
