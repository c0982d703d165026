// Shape rule and evaluation loops of operators that map each element of operand 0 on its own.
#pragma once

#include "ops/element_types.h"
#include "ops/numeric_dispatch.h"
#include "ops/operands.h"

namespace fovea::ops {

// Operand X has one of `types`; the output has X's type.
inline Status infer_map(InferContext& context, std::initializer_list<DType> types) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", types));
  return add_output(context, context.type(0).dtype, context.shape(0));
}

// y = f(x), calculated in double.
template <class F>
Status map_floats(EvalContext& context, Status (*infer)(InferContext&), F&& f) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_RETURN_IF_ERROR(dispatch_float(out.dtype(), [&](auto tag) -> Status {
    using T = decltype(tag);
    const auto x = context.input(0).as<T>();
    const auto y = out.as<T>();
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = static_cast<T>(f(static_cast<double>(x[i])));
    return {};
  }));
  context.outputs.push_back(std::move(out));
  return {};
}

// y = f(x) in the elements' own type, which f takes and returns.
template <class F>
Status map_numbers(EvalContext& context, Status (*infer)(InferContext&), F&& f) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_RETURN_IF_ERROR(dispatch_numeric(out.dtype(), [&](auto tag) -> Status {
    using T = decltype(tag);
    const auto x = context.input(0).as<T>();
    const auto y = out.as<T>();
    for (std::size_t i = 0; i < x.size(); ++i) y[i] = f(x[i]);
    return {};
  }));
  context.outputs.push_back(std::move(out));
  return {};
}

}  // namespace fovea::ops
