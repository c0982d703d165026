#include <algorithm>
#include <array>
#include <numeric>

#include "ops/axes.h"
#include "ops/integer_operand.h"
#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/strided.h"

namespace fovea::ops {
namespace {

// Indices start, start + step, … (count of them) along one axis.
struct AxisSlice {
  std::int64_t start = 0, step = 1, count = 0;
};

// Bounds as ONNX has them: negative ones count from the back, then both are clamped to the axis. Any int64 is allowed.
AxisSlice slice_axis(std::int64_t extent, std::int64_t start, std::int64_t end, std::int64_t step) {
  const auto clamped = [&](std::int64_t bound, std::int64_t low, std::int64_t high) {
    return std::clamp(bound < 0 ? bound + extent : bound, low, high);
  };
  const __int128 stride = step;  // -INT64_MIN has to fit
  __int128 span = 0;
  if (step > 0) {
    start = clamped(start, 0, extent);
    span = (static_cast<__int128>(clamped(end, 0, extent)) - start + stride - 1) / stride;
  } else {
    if (extent == 0) return {};
    start = clamped(start, 0, extent - 1);
    span = (static_cast<__int128>(start) - clamped(end, -1, extent - 1) - stride - 1) / -stride;
  }
  const auto count = static_cast<std::int64_t>(std::max<__int128>(0, span));
  // A single element is never stepped from, so a step that would leave the axis does no harm.
  return {count == 0 ? 0 : start, count > 1 ? step : 1, count};
}

// The operands starts, ends, axes, steps, as far as they are known.
struct SliceOperands {
  std::optional<std::vector<std::int64_t>> starts, ends, axes, steps;
  std::vector<int> resolved_axes;  // if axes and the rank are known
};

Result<SliceOperands> read_operands(const InferContext& context) {
  SliceOperands out;
  FOVEA_TRY(out.starts, known_integers(context, 1, "starts"));
  FOVEA_TRY(out.ends, known_integers(context, 2, "ends"));
  const auto length = known_length(context, 1);
  constexpr std::array<const char*, 5> kNames = {"", "starts", "ends", "axes", "steps"};
  for (int i = 2; i < 5; ++i)
    if (const auto other = context.has(i) ? known_length(context, i) : std::nullopt; length && other && other != length)
      return bad_input("operand {}: expected {} values as starts has, found {}", kNames[i], *length, *other);
  if (context.has(3)) {
    FOVEA_TRY(out.axes, known_integers(context, 3, "axes"));
  } else if (length && *length <= kMaxRank) {
    out.axes.emplace(static_cast<std::size_t>(*length));
    std::iota(out.axes->begin(), out.axes->end(), 0);
  } else if (length) {
    return bad_input("operand starts: expected at most {} values, found {}", kMaxRank, *length);
  }
  if (context.has(4)) {
    FOVEA_TRY(out.steps, known_integers(context, 4, "steps"));
    if (out.steps && std::find(out.steps->begin(), out.steps->end(), 0) != out.steps->end())
      return bad_input("operand steps: 0 is not a step");
  } else if (out.axes) {
    out.steps.emplace(out.axes->size(), 1);
  }
  for (const auto* list : {&out.starts, &out.ends, &out.steps})
    if (*list && out.axes && (*list)->size() != out.axes->size())
      return bad_input("operand axes: expected {} values as starts, ends and steps have, found {}", (*list)->size(),
                       out.axes->size());
  if (out.axes && context.shape(0).is_ranked()) {
    FOVEA_TRY(out.resolved_axes, resolve_axes("operand axes", *out.axes, context.shape(0).rank()));
  }
  return out;
}

// True for start 0, end at or beyond any extent, step 1: the axis stays as it is, however long.
bool keeps_axis(std::int64_t start, std::int64_t end, std::int64_t step) {
  return start == 0 && step == 1 && end >= std::numeric_limits<std::int32_t>::max();
}

}  // namespace

Status infer_slice(InferContext& context) {
  FOVEA_TRY(const SliceOperands operands, read_operands(context));
  Shape shape = context.shape(0);
  if (!shape.is_ranked()) return add_output(context, context.type(0).dtype, Shape());
  if (!operands.axes)
    return add_output(context, context.type(0).dtype, Shape(std::vector<Dim>(static_cast<std::size_t>(shape.rank()))));
  const bool known = operands.starts && operands.ends && operands.steps;
  for (std::size_t i = 0; i < operands.resolved_axes.size(); ++i) {
    Dim& extent = shape[operands.resolved_axes[i]];
    if (!known) {
      extent = Dim();
      continue;
    }
    const std::int64_t start = (*operands.starts)[i], end = (*operands.ends)[i], step = (*operands.steps)[i];
    if (extent.is_fixed())
      extent = Dim(slice_axis(extent.extent(), start, end, step).count);
    else if (!keeps_axis(start, end, step))
      extent = Dim();
  }
  return add_output(context, context.type(0).dtype, std::move(shape));
}

Status evaluate_slice(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_slice));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const SliceOperands operands, read_operands(checked));
  const Tensor& in = context.input(0);
  StridedCopy copy{out.dims(), row_major_strides(in.dims())};
  for (std::size_t i = 0; i < operands.resolved_axes.size(); ++i) {
    const int axis = operands.resolved_axes[i];
    const AxisSlice slice = slice_axis(in.dim(axis), (*operands.starts)[i], (*operands.ends)[i], (*operands.steps)[i]);
    std::int64_t& stride = copy.from_strides[static_cast<std::size_t>(axis)];
    copy.from_base += slice.start * stride;
    stride *= slice.step;
  }
  copy_strided_to_dense(std::move(copy), in, out);
  context.outputs.push_back(std::move(out));
  return {};
}

}  // namespace fovea::ops
