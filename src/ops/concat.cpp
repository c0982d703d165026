// Concat and Split: joining and parting along one axis.
#include <algorithm>
#include <numeric>

#include "ops/extents.h"
#include "ops/integer_operand.h"
#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/strided.h"

namespace fovea::ops {
namespace {

// What is known of an extent that two operands share.
const Dim& more_known(const Dim& a, const Dim& b) {
  if (a.is_fixed()) return a;
  return b.is_fixed() || a.symbol().empty() ? b : a;
}

Status check_operands(const InferContext& context, int rank) {
  for (int i = 0; i < context.input_count(); ++i) {
    const std::string name = std::to_string(i);
    FOVEA_RETURN_IF_ERROR(expect_same_type(context, i, name, 0, "operand 0"));
    FOVEA_RETURN_IF_ERROR(expect_rank(context, i, name, rank, rank));
  }
  return {};
}

// The sizes of the parts of axis extent `extent`, one an output. Nothing while they are not known.
Result<std::optional<std::vector<std::int64_t>>> part_sizes(const InferContext& context, const Dim& extent) {
  const auto parts = static_cast<std::int64_t>(context.node().outputs.size());
  if (context.has(1)) {
    FOVEA_TRY(auto sizes, known_integers(context, 1, "split"));
    if (!sizes) return sizes;
    if (static_cast<std::int64_t>(sizes->size()) != parts)
      return bad_input("operand split: expected {} sizes, one an output, found {}", parts, sizes->size());
    std::int64_t sum = 0;
    for (const std::int64_t size : *sizes)
      if (size < 0 || __builtin_add_overflow(sum, size, &sum))
        return bad_input("operand split: expected sizes of at least 0, found {}", to_string(*sizes));
    if (extent.is_fixed() && sum != extent.extent())
      return bad_input("operand split: expected a sum of {}, found {}", extent.extent(), sum);
    return sizes;
  }
  FOVEA_TRY(const std::int64_t asked, context.attributes().integer("num_outputs", 0));
  if (asked != 0 && asked != parts)
    return bad_input("attribute num_outputs: expected the number of outputs, {}, found {}", parts, asked);
  if (!extent.is_fixed()) return std::optional<std::vector<std::int64_t>>();
  if (asked == 0 && extent.extent() % parts != 0)
    return bad_input("an extent of {} does not split into {} equal parts", extent.extent(), parts);
  // With num_outputs the last part may be smaller.
  const std::int64_t part = extent.extent() / parts + (extent.extent() % parts != 0);
  if (extent.extent() / std::max<std::int64_t>(part, 1) < parts - 1)
    return bad_input("an extent of {} does not split into {} parts of {}", extent.extent(), parts, part);
  const std::int64_t last = extent.extent() - part * (parts - 1);
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(parts), part);
  sizes.back() = last;
  return std::optional(std::move(sizes));
}

}  // namespace

Status infer_concat(InferContext& context) {
  FOVEA_TRY(const std::int64_t given_axis, context.attributes().integer("axis"));
  int ranked = 0;
  while (ranked < context.input_count() && !context.shape(ranked).is_ranked()) ++ranked;
  if (ranked == context.input_count()) {
    FOVEA_RETURN_IF_ERROR(check_operands(context, 0));
    return add_output(context, context.type(0).dtype, Shape());
  }
  Shape shape = context.shape(ranked);
  FOVEA_RETURN_IF_ERROR(check_operands(context, shape.rank()));
  FOVEA_TRY(const int axis, resolve_axis("attribute axis", given_axis, shape.rank()));
  Dim sum(0);
  for (int i = 0; i < context.input_count(); ++i) {
    const Shape& operand = context.shape(i);
    if (!operand.is_ranked()) {
      sum = Dim();
      continue;
    }
    for (int d = 0; d < shape.rank(); ++d) {
      if (d == axis) continue;
      if (!operand[d].may_equal(shape[d]))
        return bad_input("operand {}: expected {} but for axis {}, found {}", i, shape.text(), axis, operand.text());
      shape[d] = more_known(shape[d], operand[d]);
    }
    if (operand[axis].is_fixed()) {
      FOVEA_TRY(sum, plus(sum, operand[axis].extent()));
    } else {
      sum = i == 0 && context.input_count() == 1 ? operand[axis] : Dim();
    }
  }
  shape[axis] = sum;
  return add_output(context, context.type(0).dtype, std::move(shape));
}

Status evaluate_concat(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_concat));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const std::int64_t given_axis, context.attributes().integer("axis"));
  FOVEA_TRY(const int axis, resolve_axis("attribute axis", given_axis, out.rank()));
  const Dims strides = row_major_strides(out.dims());
  std::int64_t begin = 0;
  for (int i = 0; i < context.input_count(); ++i) {
    const Tensor& in = context.input(i);
    copy_strided({in.dims(), row_major_strides(in.dims()), strides, 0, begin * strides[static_cast<std::size_t>(axis)]},
                 in, out);
    begin += in.dim(axis);
  }
  context.outputs.push_back(std::move(out));
  return {};
}

Status infer_split(InferContext& context) {
  FOVEA_TRY(const std::int64_t given_axis, context.attributes().integer("axis", 0));
  const std::size_t parts = context.node().outputs.size();
  Shape shape = context.shape(0);
  int axis = 0;
  if (shape.is_ranked()) {
    FOVEA_TRY(axis, resolve_axis("attribute axis", given_axis, shape.rank()));
  }
  FOVEA_TRY(const auto sizes, part_sizes(context, shape.is_ranked() ? shape[axis] : Dim()));
  for (std::size_t i = 0; i < parts; ++i) {
    if (shape.is_ranked() && parts > 1) shape[axis] = Dim();
    if (shape.is_ranked() && sizes) shape[axis] = Dim((*sizes)[i]);
    FOVEA_RETURN_IF_ERROR(add_output(context, context.type(0).dtype, shape));
  }
  return {};
}

Status evaluate_split(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_split));
  const Tensor& in = context.input(0);
  FOVEA_TRY(const std::int64_t given_axis, context.attributes().integer("axis", 0));
  FOVEA_TRY(const int axis, resolve_axis("attribute axis", given_axis, in.rank()));
  const Dims strides = row_major_strides(in.dims());
  std::int64_t begin = 0;
  for (std::size_t i = 0; i < checked.outputs.size(); ++i) {
    FOVEA_TRY(Tensor out, new_output(checked, static_cast<int>(i)));
    copy_strided_to_dense({out.dims(), strides, {}, begin * strides[static_cast<std::size_t>(axis)]}, in, out);
    begin += out.dim(axis);
    context.outputs.push_back(std::move(out));
  }
  return {};
}

}  // namespace fovea::ops
