// Reshape, Flatten, Squeeze and Unsqueeze: the same elements in the same order under other extents.
#include <algorithm>

#include "ops/axes.h"
#include "ops/extents.h"
#include "ops/integer_operand.h"
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

// Evaluation of all four: the shape rule says everything.
Status copy_under_new_shape(EvalContext& context, Status (*infer)(InferContext&)) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer));
  FOVEA_TRY(Tensor out, new_output(checked));
  if (out.bytes() > 0) std::memcpy(out.raw(), context.input(0).raw(), out.bytes());
  context.outputs.push_back(std::move(out));
  return {};
}

Status output_of_unknown_shape(InferContext& context, std::optional<std::int64_t> rank) {
  if (!rank || *rank < 0) return add_output(context, context.type(0).dtype, Shape());
  if (*rank > kMaxRank) return unsupported("a result of {} dimensions; at most {} are supported", *rank, kMaxRank);
  return add_output(context, context.type(0).dtype, Shape(std::vector<Dim>(static_cast<std::size_t>(*rank))));
}

// A Reshape target with 0 and, but for one -1, everything else resolved.
struct Target {
  std::vector<Dim> dims;
  int inferred = -1;         // position of the -1
  std::vector<bool> copied;  // input axes that a 0 copied: they cancel out when the -1 is computed
};

Result<Target> resolve_target(const Shape& input, const std::vector<std::int64_t>& target, bool allow_zero) {
  Target out;
  out.copied.resize(static_cast<std::size_t>(input.rank()));
  for (std::size_t i = 0; i < target.size(); ++i) {
    const std::int64_t t = target[i];
    if (t < -1) return bad_input("operand shape: expected extents of at least -1, found {}", to_string(target));
    if (t == -1) {
      if (out.inferred >= 0) return bad_input("operand shape: -1 occurs twice in {}", to_string(target));
      out.inferred = static_cast<int>(i);
      out.dims.emplace_back();
    } else if (t == 0 && !allow_zero) {
      if (input.is_ranked() && i >= out.copied.size())
        return bad_input("operand shape: 0 at position {} has no extent of {} to copy", i, input.text());
      if (input.is_ranked()) out.copied[i] = true;
      out.dims.push_back(input.is_ranked() ? input[static_cast<int>(i)] : Dim());
    } else {
      out.dims.emplace_back(t);
    }
  }
  if (allow_zero && out.inferred >= 0 && std::find(target.begin(), target.end(), 0) != target.end())
    return bad_input("operand shape: {} has both 0 and -1, which leaves -1 open", to_string(target));
  return out;
}

// The product of the extents that are fixed, and those that are not.
struct Extents {
  std::int64_t fixed = 1;
  std::vector<Dim> open;
};

// Solves input elements = target elements for the -1, or checks it where there is none.
Result<Shape> solve_target(const Shape& input, Target target, const std::string& wanted) {
  if (!input.is_ranked()) return Shape(std::move(target.dims));
  const auto split = [](const std::vector<Dim>& dims, const std::vector<bool>& skip_open) -> Result<Extents> {
    Extents out;
    Dims fixed;
    for (std::size_t i = 0; i < dims.size(); ++i) {
      if (dims[i].is_fixed())
        fixed.push_back(dims[i].extent());
      else if (!skip_open[i])
        out.open.push_back(dims[i]);
    }
    FOVEA_TRY(out.fixed, checked_element_count(fixed));
    return out;
  };
  FOVEA_TRY(const Extents have, split(input.dims(), target.copied));
  std::vector<Dim> known = target.dims;
  if (target.inferred >= 0) known.erase(known.begin() + target.inferred);
  // Open target extents are copies of input extents; they cancel out on both sides.
  FOVEA_TRY(const Extents want, split(known, std::vector<bool>(known.size(), true)));
  const auto mismatch = [&] { return bad_input("cannot reshape {} into {}", input.text(), wanted); };
  if (target.inferred < 0) {
    // Open extents that were copied count as non-zero, unless nothing else can make the two sides equal.
    const bool both_may_be_empty = !input.is_fixed() && have.fixed == 0;
    if (have.open.empty() && have.fixed != want.fixed && !both_may_be_empty) return mismatch();
  } else if (have.open.empty()) {
    if (want.fixed == 0 || have.fixed % want.fixed != 0) return mismatch();
    target.dims[static_cast<std::size_t>(target.inferred)] = Dim(have.fixed / want.fixed);
  } else if (have.open.size() == 1 && have.fixed == want.fixed && have.fixed != 0) {
    target.dims[static_cast<std::size_t>(target.inferred)] = have.open[0];
  }
  return Shape(std::move(target.dims));
}

}  // namespace

Status infer_reshape(InferContext& context) {
  FOVEA_TRY(const std::int64_t allow_zero, context.attributes().integer("allowzero", 0));
  FOVEA_TRY(const auto target, known_integers(context, 1, "shape"));
  if (!target) return output_of_unknown_shape(context, known_length(context, 1));
  const Shape& input = context.shape(0);
  if (target->size() > static_cast<std::size_t>(kMaxRank))
    return unsupported("operand shape: {} dimensions; at most {} are supported", target->size(), kMaxRank);
  FOVEA_TRY(Target resolved, resolve_target(input, *target, allow_zero != 0));
  FOVEA_TRY(Shape shape, solve_target(input, std::move(resolved), to_string(*target)));
  return add_output(context, context.type(0).dtype, std::move(shape));
}
Status evaluate_reshape(EvalContext& context) { return copy_under_new_shape(context, infer_reshape); }

Status infer_flatten(InferContext& context) {
  FOVEA_TRY(const std::int64_t axis, context.attributes().integer("axis", 1));
  const Shape& input = context.shape(0);
  if (!input.is_ranked()) return output_of_unknown_shape(context, 2);
  // The axis may also be the rank: everything goes into the first extent.
  if (axis < -input.rank() || axis > input.rank())
    return bad_input("attribute axis: expected a value from {} to {}, found {}", -input.rank(), input.rank(), axis);
  const auto at = static_cast<std::size_t>(axis < 0 ? axis + input.rank() : axis);
  const std::span<const Dim> dims = input.dims();
  FOVEA_TRY(const Dim outer, product(dims.first(at)));
  FOVEA_TRY(const Dim inner, product(dims.subspan(at)));
  return add_output(context, context.type(0).dtype, Shape{outer, inner});
}
Status evaluate_flatten(EvalContext& context) { return copy_under_new_shape(context, infer_flatten); }

Status infer_squeeze(InferContext& context) {
  const Shape& input = context.shape(0);
  std::optional<std::vector<std::int64_t>> axes;
  if (context.has(1)) {
    FOVEA_TRY(axes, known_integers(context, 1, "axes"));
    if (!axes || !input.is_ranked()) {
      const auto length = known_length(context, 1);
      return output_of_unknown_shape(
          context, input.is_ranked() && length ? std::optional(input.rank() - *length) : std::nullopt);
    }
  }
  if (!input.is_ranked()) return output_of_unknown_shape(context, std::nullopt);
  std::vector<bool> dropped(static_cast<std::size_t>(input.rank()));
  if (axes) {
    FOVEA_TRY(const auto resolved, resolve_axes("operand axes", *axes, input.rank()));
    for (const int axis : resolved) {
      if (!input[axis].may_equal(Dim(1)))
        return bad_input("operand axes: axis {} of {} is not of extent 1", axis, input.text());
      dropped[static_cast<std::size_t>(axis)] = true;
    }
  } else {
    // Without axes every extent of 1 goes; an open one may be 1.
    if (!input.is_fixed()) return output_of_unknown_shape(context, std::nullopt);
    for (int axis = 0; axis < input.rank(); ++axis) dropped[static_cast<std::size_t>(axis)] = input[axis] == Dim(1);
  }
  std::vector<Dim> dims;
  for (int axis = 0; axis < input.rank(); ++axis)
    if (!dropped[static_cast<std::size_t>(axis)]) dims.push_back(input[axis]);
  return add_output(context, context.type(0).dtype, Shape(std::move(dims)));
}
Status evaluate_squeeze(EvalContext& context) { return copy_under_new_shape(context, infer_squeeze); }

Status infer_unsqueeze(InferContext& context) {
  FOVEA_TRY(const auto axes, known_integers(context, 1, "axes"));
  const Shape& input = context.shape(0);
  if (!axes || !input.is_ranked()) {
    const auto length = known_length(context, 1);
    return output_of_unknown_shape(context,
                                   input.is_ranked() && length ? std::optional(input.rank() + *length) : std::nullopt);
  }
  const std::size_t rank = static_cast<std::size_t>(input.rank()) + axes->size();
  if (rank > static_cast<std::size_t>(kMaxRank))
    return unsupported("a result of {} dimensions; at most {} are supported", rank, kMaxRank);
  FOVEA_TRY(const auto resolved, resolve_axes("operand axes", *axes, static_cast<int>(rank)));
  std::vector<Dim> dims;
  int next = 0;
  for (int axis = 0; axis < static_cast<int>(rank); ++axis) {
    const bool is_new = std::find(resolved.begin(), resolved.end(), axis) != resolved.end();
    dims.push_back(is_new ? Dim(1) : input[next++]);
  }
  return add_output(context, context.type(0).dtype, Shape(std::move(dims)));
}
Status evaluate_unsqueeze(EvalContext& context) { return copy_under_new_shape(context, infer_unsqueeze); }

}  // namespace fovea::ops
