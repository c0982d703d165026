// Min, Max, Sum and Mean of any number of broadcast operands.
#include <vector>

#include "ops/elementwise_zip.h"
#include "ops/op_functions.h"

namespace fovea::ops {
namespace {

Status infer_variadic(InferContext& context, std::initializer_list<DType> types) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "0", types));
  for (int i = 1; i < context.input_count(); ++i)
    FOVEA_RETURN_IF_ERROR(expect_same_type(context, i, std::to_string(i), 0, "operand 0"));
  FOVEA_TRY(Shape shape, broadcast_inputs(context));
  return add_output(context, context.type(0).dtype, std::move(shape));
}

// out = f(…f(f(x0, x1), x2)…) in the elements' own type.
template <class F>
Status fold(EvalContext& context, Status (*infer)(InferContext&), F&& f) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_RETURN_IF_ERROR(dispatch_numeric(out.dtype(), [&](auto tag) -> Status {
    using T = decltype(tag);
    zip<T, T, T>(context.input(0), context.input(0), out, [](T x, T) { return x; });
    for (int i = 1; i < context.input_count(); ++i) zip<T, T, T>(out, context.input(i), out, f);
    return {};
  }));
  context.outputs.push_back(std::move(out));
  return {};
}

// The sum of all operands over `divisor`, added up in double.
Status scaled_sum(EvalContext& context, Status (*infer)(InferContext&), double divisor) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer));
  FOVEA_TRY(Tensor out, new_output(checked));
  std::vector<double> sums(static_cast<std::size_t>(out.count()), 0.0);
  for (int i = 0; i < context.input_count(); ++i)
    FOVEA_RETURN_IF_ERROR(dispatch_float(out.dtype(), [&](auto tag) -> Status {
      const auto x = context.input(i).as<decltype(tag)>();
      auto sum = sums.begin();
      walk<1>(out.dims(), {broadcast_strides(context.input(i).dims(), out.dims())},
              [&](const auto& at) { *sum++ += static_cast<double>(x[static_cast<std::size_t>(at[0])]); });
      return {};
    }));
  for (double& sum : sums) sum /= divisor;
  store_floats(sums, out);
  context.outputs.push_back(std::move(out));
  return {};
}

}  // namespace

// NaN in any operand gives NaN.
Status infer_min(InferContext& context) { return infer_variadic(context, kNumericTypes); }
Status evaluate_min(EvalContext& context) {
  return fold(context, infer_min, [](auto a, auto b) { return a != a || a < b ? a : b; });
}

Status infer_max(InferContext& context) { return infer_variadic(context, kNumericTypes); }
Status evaluate_max(EvalContext& context) {
  return fold(context, infer_max, [](auto a, auto b) { return a != a || a > b ? a : b; });
}

Status infer_sum(InferContext& context) { return infer_variadic(context, kFloatTypes); }
Status evaluate_sum(EvalContext& context) { return scaled_sum(context, infer_sum, 1); }

Status infer_mean(InferContext& context) { return infer_variadic(context, kFloatTypes); }
Status evaluate_mean(EvalContext& context) { return scaled_sum(context, infer_mean, context.input_count()); }

}  // namespace fovea::ops
