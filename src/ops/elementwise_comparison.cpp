// Comparisons, logic, and Where.
#include "ops/elementwise_zip.h"
#include "ops/op_functions.h"

namespace fovea::ops {

#define COMPARISON(stem, types, expression)                                                      \
  Status infer_##stem(InferContext& context) { return infer_zip(context, types, DType::kBool); } \
  Status evaluate_##stem(EvalContext& context) {                                                 \
    return zip_comparison(context, infer_##stem, [](auto a, auto b) { return expression; });     \
  }

COMPARISON(greater, kNumericTypes, a > b)
COMPARISON(less, kNumericTypes, a < b)
COMPARISON(greater_or_equal, kNumericTypes, a >= b)
COMPARISON(less_or_equal, kNumericTypes, a <= b)
COMPARISON(equal, kAllTypes, a == b)
COMPARISON(logical_and, kBoolTypes, a&& b)
COMPARISON(logical_or, kBoolTypes, a || b)
COMPARISON(logical_xor, kBoolTypes, a != b)

#undef COMPARISON

Status infer_logical_not(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", kBoolTypes));
  return add_output(context, DType::kBool, context.shape(0));
}
Status evaluate_logical_not(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_logical_not));
  FOVEA_TRY(Tensor out, new_output(checked));
  const auto* x = static_cast<const std::uint8_t*>(context.input(0).raw());
  for (bool& y : out.as<bool>()) y = *x++ == 0;
  context.outputs.push_back(std::move(out));
  return {};
}

Status infer_where(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "condition", kBoolTypes));
  FOVEA_RETURN_IF_ERROR(expect_same_type(context, 2, "Y", 1, "X"));
  FOVEA_TRY(Shape shape, broadcast_inputs(context));
  return add_output(context, context.type(1).dtype, std::move(shape));
}
Status evaluate_where(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_where));
  FOVEA_TRY(Tensor out, new_output(checked));
  const auto strides = [&](int i) { return broadcast_strides(context.input(i).dims(), out.dims()); };
  const auto* condition = static_cast<const std::uint8_t*>(context.input(0).raw());
  dispatch_bytes(size_of(out.dtype()), [&](auto tag) {
    using T = decltype(tag);
    const auto* x = static_cast<const T*>(context.input(1).raw());
    const auto* y = static_cast<const T*>(context.input(2).raw());
    auto* to = static_cast<T*>(out.raw());
    walk<3>(out.dims(), {strides(0), strides(1), strides(2)},
            [&](const auto& at) { *to++ = condition[at[0]] != 0 ? x[at[1]] : y[at[2]]; });
  });
  context.outputs.push_back(std::move(out));
  return {};
}

}  // namespace fovea::ops
