#include <algorithm>
#include <numeric>

#include "ops/axis_lines.h"
#include "ops/element_types.h"
#include "ops/integer_operand.h"
#include "ops/numeric_dispatch.h"
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

Result<int> read_axis(const InferContext& context) {
  FOVEA_TRY(const std::int64_t axis, context.attributes().integer("axis", -1));
  return resolve_axis("attribute axis", axis, context.shape(0).rank());
}

}  // namespace

Status infer_top_k(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", kNumericTypes));
  FOVEA_TRY(const auto k, known_integer(context, 1, "K"));
  FOVEA_RETURN_IF_ERROR(context.attributes().integer("largest", 1));
  FOVEA_RETURN_IF_ERROR(context.attributes().integer("sorted", 1));
  if (k && *k < 0) return bad_input("operand K: expected a value of at least 0, found {}", *k);
  Shape shape = context.shape(0);
  if (shape.is_ranked()) {
    FOVEA_TRY(const int axis, read_axis(context));
    if (k && shape[axis].is_fixed() && *k > shape[axis].extent())
      return bad_input("operand K: expected at most the {} elements of axis {}, found {}", shape[axis].extent(), axis,
                       *k);
    shape[axis] = k ? Dim(*k) : Dim();
  }
  FOVEA_RETURN_IF_ERROR(add_output(context, context.type(0).dtype, shape));
  return add_output(context, DType::kS64, std::move(shape));
}

// Among equals the lower index comes first. The result is sorted also where the attribute `sorted` does not ask for it.
Status evaluate_top_k(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_top_k));
  FOVEA_TRY(Tensor values, new_output(checked, 0));
  FOVEA_TRY(Tensor indices, new_output(checked, 1));
  FOVEA_TRY(const int axis, read_axis(checked));
  FOVEA_TRY(const std::int64_t largest, context.attributes().integer("largest", 1));
  const Tensor& in = context.input(0);
  const std::int64_t k = values.dim(axis);
  const auto at = static_cast<std::size_t>(axis);
  const std::int64_t in_stride = row_major_strides(in.dims())[at], out_stride = row_major_strides(values.dims())[at];
  FOVEA_RETURN_IF_ERROR(dispatch_numeric(in.dtype(), [&](auto tag) -> Status {
    using T = decltype(tag);
    const T* x = in.as<T>().data();
    T* value = values.as<T>().data();
    std::int64_t* index = indices.as<std::int64_t>().data();
    if (values.count() == 0) return {};
    std::vector<std::int64_t> order(static_cast<std::size_t>(in.dim(axis)));
    for_each_line(in.dims(), values.dims(), axis, [&](std::int64_t from, std::int64_t to) {
      const auto comes_first = [&](std::int64_t i, std::int64_t j) {
        const T a = x[from + i * in_stride], b = x[from + j * in_stride];
        if (largest != 0 ? is_larger(a, b) : is_smaller(a, b)) return true;
        if (largest != 0 ? is_larger(b, a) : is_smaller(b, a)) return false;
        return i < j;
      };
      std::iota(order.begin(), order.end(), 0);
      std::partial_sort(order.begin(), order.begin() + k, order.end(), comes_first);
      for (std::int64_t i = 0; i < k; ++i) {
        index[to + i * out_stride] = order[static_cast<std::size_t>(i)];
        value[to + i * out_stride] = x[from + order[static_cast<std::size_t>(i)] * in_stride];
      }
    });
    return {};
  }));
  context.outputs.push_back(std::move(values));
  context.outputs.push_back(std::move(indices));
  return {};
}

}  // namespace fovea::ops
