// ArgMax and ArgMin.
#include "ops/axis_lines.h"
#include "ops/element_types.h"
#include "ops/numeric_dispatch.h"
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

Result<int> read_axis(const InferContext& context) {
  FOVEA_TRY(const std::int64_t axis, context.attributes().integer("axis", 0));
  return resolve_axis("attribute axis", axis, context.shape(0).rank());
}

Status infer_arg(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "data", kNumericTypes));
  FOVEA_TRY(const std::int64_t keep, context.attributes().integer("keepdims", 1));
  FOVEA_RETURN_IF_ERROR(context.attributes().integer("select_last_index", 0));
  const Shape& input = context.shape(0);
  if (!input.is_ranked()) return add_output(context, DType::kS64, Shape());
  FOVEA_TRY(const int axis, read_axis(context));
  if (input[axis] == Dim(0)) return bad_input("operand data: axis {} of {} has no elements", axis, input.text());
  std::vector<Dim> dims = input.dims();
  if (keep != 0)
    dims[static_cast<std::size_t>(axis)] = Dim(1);
  else
    dims.erase(dims.begin() + axis);
  return add_output(context, DType::kS64, Shape(std::move(dims)));
}

// `before(a, b)` says that a is a better choice than b; NaN is the best choice, as in numpy.
template <class Before>
Status evaluate_arg(EvalContext& context, Before&& before) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_arg));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const int axis, read_axis(checked));
  FOVEA_TRY(const std::int64_t last, context.attributes().integer("select_last_index", 0));
  const Tensor& in = context.input(0);
  Dims out_dims = in.dims();
  out_dims[static_cast<std::size_t>(axis)] = 1;
  const std::int64_t stride = row_major_strides(in.dims())[static_cast<std::size_t>(axis)], extent = in.dim(axis);
  FOVEA_RETURN_IF_ERROR(dispatch_numeric(in.dtype(), [&](auto tag) -> Status {
    using T = decltype(tag);
    const T* x = in.as<T>().data();
    auto y = out.as<std::int64_t>();
    for_each_line(in.dims(), out_dims, axis, [&](std::int64_t from, std::int64_t to) {
      std::int64_t best = 0;
      for (std::int64_t i = 1; i < extent; ++i) {
        const T candidate = x[from + i * stride], current = x[from + best * stride];
        if (before(candidate, current) || (last != 0 && !before(current, candidate))) best = i;
      }
      y[static_cast<std::size_t>(to)] = best;
    });
    return {};
  }));
  context.outputs.push_back(std::move(out));
  return {};
}

}  // namespace

Status infer_arg_max(InferContext& context) { return infer_arg(context); }
Status evaluate_arg_max(EvalContext& context) {
  return evaluate_arg(context, [](auto a, auto b) { return is_larger(a, b); });
}

Status infer_arg_min(InferContext& context) { return infer_arg(context); }
Status evaluate_arg_min(EvalContext& context) {
  return evaluate_arg(context, [](auto a, auto b) { return a < b || (a != a && b == b); });
}

}  // namespace fovea::ops
