// Cast and CastLike: between all element types. These see 16-bit floats as they are.
#include "ops/onnx_element_type.h"
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

Result<DType> target_type(const AttributeReader& attributes) {
  FOVEA_TRY(const std::int64_t number, attributes.integer("to"));
  auto dtype = dtype_from_onnx(number);
  if (!dtype.ok()) return std::move(dtype).error().within("attribute to");
  return dtype;
}

Status cast_to(EvalContext& context, Status (*infer)(InferContext&)) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer));
  context.outputs.push_back(context.input(0).cast(checked.outputs[0].dtype));
  return {};
}

}  // namespace

Status infer_cast(InferContext& context) {
  FOVEA_TRY(const DType dtype, target_type(context.attributes()));
  return add_output(context, dtype, context.shape(0));
}
Status evaluate_cast(EvalContext& context) { return cast_to(context, infer_cast); }

Status infer_cast_like(InferContext& context) { return add_output(context, context.type(1).dtype, context.shape(0)); }
Status evaluate_cast_like(EvalContext& context) { return cast_to(context, infer_cast_like); }

}  // namespace fovea::ops
