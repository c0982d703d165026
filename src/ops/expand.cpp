// Expand and Tile: results that repeat their input.
#include <algorithm>

#include "ops/broadcast.h"
#include "ops/extents.h"
#include "ops/integer_operand.h"
#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/strided.h"

namespace fovea::ops {
namespace {

std::vector<Dim> unknown_dims(std::int64_t rank) { return std::vector<Dim>(static_cast<std::size_t>(rank)); }

// The repeats of Tile, checked; nothing while they are not known. The input must be ranked.
Result<std::optional<std::vector<std::int64_t>>> read_repeats(const InferContext& context) {
  FOVEA_TRY(const auto repeats, known_integers(context, 1, "repeats"));
  if (!repeats) return repeats;
  if (repeats->size() != static_cast<std::size_t>(context.shape(0).rank()))
    return bad_input("operand repeats: expected {} values, found {}", context.shape(0).rank(), repeats->size());
  for (const std::int64_t repeat : *repeats)
    if (repeat < 0) return bad_input("operand repeats: expected values of at least 0, found {}", to_string(*repeats));
  return repeats;
}

}  // namespace

Status infer_expand(InferContext& context) {
  FOVEA_TRY(const auto target, known_integers(context, 1, "shape"));
  const DType dtype = context.type(0).dtype;
  const Shape& input = context.shape(0);
  const auto length = target ? static_cast<std::int64_t>(target->size()) : known_length(context, 1);
  if (length && *length > kMaxRank)
    return unsupported("operand shape: {} dimensions; at most {} are supported", *length, kMaxRank);
  if (!length || !input.is_ranked()) return add_output(context, dtype, Shape());
  if (!target) return add_output(context, dtype, Shape(unknown_dims(std::max<std::int64_t>(input.rank(), *length))));
  for (const std::int64_t extent : *target)
    if (extent < 0) return bad_input("operand shape: expected extents of at least 0, found {}", to_string(*target));
  FOVEA_TRY(Shape shape, broadcast(input, Shape(*target)));
  return add_output(context, dtype, std::move(shape));
}

Status evaluate_expand(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_expand));
  FOVEA_TRY(Tensor out, new_output(checked));
  const Tensor& in = context.input(0);
  copy_strided_to_dense({out.dims(), broadcast_strides(in.dims(), out.dims())}, in, out);
  context.outputs.push_back(std::move(out));
  return {};
}

Status infer_tile(InferContext& context) {
  const DType dtype = context.type(0).dtype;
  Shape shape = context.shape(0);
  if (!shape.is_ranked()) return add_output(context, dtype, Shape());
  FOVEA_TRY(const auto repeats, read_repeats(context));
  for (int axis = 0; axis < shape.rank(); ++axis) {
    if (repeats) {
      FOVEA_TRY(shape[axis], times(shape[axis], (*repeats)[static_cast<std::size_t>(axis)]));
    } else {
      shape[axis] = Dim();
    }
  }
  return add_output(context, dtype, std::move(shape));
}

Status evaluate_tile(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_tile));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const auto repeats, read_repeats(checked));
  const Tensor& in = context.input(0);
  const Dims strides = row_major_strides(in.dims());
  // Every axis as two: the repetitions, which do not move in the input, and its own extent.
  StridedCopy copy;
  for (std::size_t axis = 0; axis < strides.size(); ++axis) {
    copy.dims.insert(copy.dims.end(), {(*repeats)[axis], in.dims()[axis]});
    copy.from_strides.insert(copy.from_strides.end(), {0, strides[axis]});
  }
  copy_strided_to_dense(std::move(copy), in, out);
  context.outputs.push_back(std::move(out));
  return {};
}

}  // namespace fovea::ops
