// Shape rule and evaluation loops of operators that combine the elements of two broadcast operands.
#pragma once

#include "ops/broadcast.h"
#include "ops/element_types.h"
#include "ops/numeric_dispatch.h"
#include "ops/operands.h"
#include "ops/strided.h"

namespace fovea::ops {

// Operands A and B have the same element type, one of `types`; the output has `result` or, if empty, the operands'.
inline Status infer_zip(InferContext& context, std::initializer_list<DType> types, std::optional<DType> result = {}) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "A", types));
  FOVEA_RETURN_IF_ERROR(expect_same_type(context, 1, "B", 0, "A"));
  FOVEA_TRY(Shape shape, broadcast_inputs(context));
  return add_output(context, result.value_or(context.type(0).dtype), std::move(shape));
}

// out[i] = f(a, b) over the broadcast of the two tensors to `out`, in row-major order.
template <class A, class B, class Out, class F>
void zip(const Tensor& a, const Tensor& b, Tensor& out, F&& f) {
  const auto* from_a = static_cast<const A*>(a.raw());
  const auto* from_b = static_cast<const B*>(b.raw());
  auto* to = static_cast<Out*>(out.raw());
  walk<2>(out.dims(), {broadcast_strides(a.dims(), out.dims()), broadcast_strides(b.dims(), out.dims())},
          [&](const auto& at) { *to++ = f(from_a[at[0]], from_b[at[1]]); });
}

// Combines numbers in their own type T by f(T, T), which returns T.
template <class F>
Status zip_numbers(EvalContext& context, Status (*infer)(InferContext&), F&& f) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_RETURN_IF_ERROR(dispatch_numeric(out.dtype(), [&](auto tag) -> Status {
    using T = decltype(tag);
    zip<T, T, T>(context.input(0), context.input(1), out, [&](T a, T b) { return static_cast<T>(f(a, b)); });
    return {};
  }));
  context.outputs.push_back(std::move(out));
  return {};
}

// Compares two numbers, or two truth values where the shape rule allows them, by f(T, T).
template <class F>
Status zip_comparison(EvalContext& context, Status (*infer)(InferContext&), F&& f) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer));
  FOVEA_TRY(Tensor out, new_output(checked));
  const auto compare = [&](auto tag) -> Status {
    using T = decltype(tag);
    zip<T, T, bool>(context.input(0), context.input(1), out, f);
    return {};
  };
  if (context.input(0).dtype() == DType::kBool) {
    // Bytes, as a file may hold any non-zero byte for true.
    zip<std::uint8_t, std::uint8_t, bool>(context.input(0), context.input(1), out,
                                          [&](std::uint8_t a, std::uint8_t b) { return f(a != 0, b != 0); });
  } else {
    FOVEA_RETURN_IF_ERROR(dispatch_numeric(context.input(0).dtype(), compare));
  }
  context.outputs.push_back(std::move(out));
  return {};
}

}  // namespace fovea::ops
