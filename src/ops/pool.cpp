// MaxPool and AveragePool over one to three spatial axes.
#include <algorithm>
#include <limits>

#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/window.h"

namespace fovea::ops {
namespace {

// kernel_shape, strides, dilations, pads, auto_pad and ceil_mode of a pool over an input of this rank.
Result<WindowAttributes> read_pool_attributes(const Node& node, int rank) {
  FOVEA_TRY(WindowAttributes attributes, read_window_attributes(node, rank - 2, {}));
  FOVEA_TRY(const std::int64_t ceil_mode, AttributeReader(node).integer("ceil_mode", 0));
  attributes.ceil_mode = ceil_mode != 0;
  // A window that starts or ends beyond the image would have nothing to pool.
  for (std::size_t i = 0; i < attributes.kernel.size(); ++i) {
    const std::int64_t reach = (attributes.kernel[i] - 1) * attributes.dilations[i] + 1;
    const std::int64_t pad = std::max(attributes.pads_begin[i], attributes.pads_end[i]);
    if (attributes.auto_pad == AutoPad::kNone && pad >= reach)
      return bad_input("attribute pads: expected less than the window of {} on spatial axis {}, found {}", reach, i,
                       pad);
  }
  return attributes;
}

Result<Shape> infer_pool(const InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 0, "X", 3, kMaxSpatialRank + 2));
  const Shape& input = context.shape(0);
  if (!input.is_ranked()) return Shape();
  FOVEA_TRY(const WindowAttributes attributes, read_pool_attributes(context.node(), input.rank()));
  Shape output = input;
  for (int i = 0; i < input.rank() - 2; ++i) {
    FOVEA_TRY(output[i + 2], window_output_dim(attributes, i, input[i + 2]));
  }
  return output;
}

Result<SpatialWindow> resolve_pool(const InferContext& checked) {
  FOVEA_TRY(const WindowAttributes attributes, read_pool_attributes(checked.node(), checked.shape(0).rank()));
  return resolve_window(attributes, *checked.shape(0).fixed(), *checked.outputs[0].shape.fixed());
}

// Calls visit(output index within its plane, taps inside the image on each axis, {d, h, w} of the output).
template <class Visit>
void for_each_output(const SpatialWindow& window, Visit&& visit) {
  std::int64_t index = 0;
  std::array<IndexRange, 3> taps;
  std::array<std::int64_t, 3> at;
  for (at[0] = 0; at[0] < window.output[0]; ++at[0]) {
    taps[0] = valid_taps(window.axes[0], window.input[0], at[0]);
    for (at[1] = 0; at[1] < window.output[1]; ++at[1]) {
      taps[1] = valid_taps(window.axes[1], window.input[1], at[1]);
      for (at[2] = 0; at[2] < window.output[2]; ++at[2]) {
        taps[2] = valid_taps(window.axes[2], window.input[2], at[2]);
        visit(index++, taps, at);
      }
    }
  }
}

// Calls visit(d, h, w) with the input pixels of one window, in row-major order.
template <class Visit>
void for_each_pixel(const SpatialWindow& window, const std::array<IndexRange, 3>& taps,
                    const std::array<std::int64_t, 3>& at, Visit&& visit) {
  std::array<std::int64_t, 3> start;
  for (std::size_t i = 0; i < 3; ++i) start[i] = at[i] * window.axes[i].stride - window.axes[i].pad_begin;
  for (std::int64_t kd = taps[0].begin; kd < taps[0].end; ++kd)
    for (std::int64_t kh = taps[1].begin; kh < taps[1].end; ++kh)
      for (std::int64_t kw = taps[2].begin; kw < taps[2].end; ++kw)
        visit(start[0] + kd * window.axes[0].dilation, start[1] + kh * window.axes[1].dilation,
              start[2] + kw * window.axes[2].dilation);
}

// The largest value of every window and where it is; the first one among equals. A NaN counts as smaller than anything,
// and a window without pixels gives the type's lowest value.
template <class T>
void max_pool(const SpatialWindow& window, const Tensor& x, bool column_major, Tensor& y, Tensor* indices) {
  const std::int64_t planes = x.dim(0) * x.dim(1), pixels = window.input_count(), outputs = window.output_count();
  const std::int64_t depth = window.input[0], height = window.input[1], width = window.input[2];
  constexpr T kLowest =
      std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  for (std::int64_t p = 0; p < planes; ++p) {
    const T* plane = x.as<T>().data() + p * pixels;
    T* out = y.as<T>().data() + p * outputs;
    std::int64_t* index_out = indices ? indices->as<std::int64_t>().data() + p * outputs : nullptr;
    for_each_output(window, [&](std::int64_t o, const auto& taps, const auto& at) {
      T best = kLowest;
      std::int64_t best_index = -1;
      for_each_pixel(window, taps, at, [&](std::int64_t d, std::int64_t h, std::int64_t w) {
        const T value = plane[(d * height + h) * width + w];
        if (best_index >= 0 && !(value > best)) return;
        best_index = column_major ? (w * height + h) * depth + d : (d * height + h) * width + w;
        best = std::max(best, value);
      });
      out[o] = best;
      if (index_out) index_out[o] = std::max<std::int64_t>(0, best_index) + p * pixels;
    });
  }
}

// Pixels of a window along one axis with the padding counted, but nothing beyond it (ceil_mode).
double padded_taps(const WindowAxis& axis, std::int64_t input, std::int64_t o) {
  WindowAxis unpadded = axis;
  unpadded.pad_begin = 0;
  const IndexRange taps = valid_taps(unpadded, axis.pad_begin + input + axis.pad_end, o);
  return static_cast<double>(taps.end - taps.begin);
}

}  // namespace

Status infer_max_pool(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(
      expect_type(context, 0, "X", {DType::kF32, DType::kF64, DType::kF16, DType::kBf16, DType::kU8, DType::kS8}));
  FOVEA_TRY(const std::int64_t order, context.attributes().integer("storage_order", 0));
  if (order != 0 && order != 1) return bad_input("attribute storage_order: expected 0 or 1, found {}", order);
  FOVEA_TRY(const Shape output, infer_pool(context));
  FOVEA_RETURN_IF_ERROR(add_output(context, context.type(0).dtype, output));
  if (context.node().outputs.size() < 2) return {};
  return add_output(context, DType::kS64, output);
}

Status evaluate_max_pool(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_max_pool));
  FOVEA_TRY(Tensor y, new_output(checked));
  FOVEA_TRY(const SpatialWindow window, resolve_pool(checked));
  FOVEA_TRY(const std::int64_t order, context.attributes().integer("storage_order", 0));
  const bool wants_indices = checked.outputs.size() > 1;
  Tensor indices;
  if (wants_indices) {
    FOVEA_TRY(indices, new_output(checked, 1));
  }
  dispatch(y.dtype(), [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_arithmetic_v<T>)
      max_pool<T>(window, context.input(0), order == 1, y, wants_indices ? &indices : nullptr);
    else
      throw CheckFailure("max_pool: type");
  });
  context.outputs.push_back(std::move(y));
  if (wants_indices) context.outputs.push_back(std::move(indices));
  return {};
}

Status infer_average_pool(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", kFloatTypes));
  FOVEA_TRY([[maybe_unused]] const std::int64_t count_include_pad,
            context.attributes().integer("count_include_pad", 0));
  FOVEA_TRY(Shape output, infer_pool(context));
  return add_output(context, context.type(0).dtype, std::move(output));
}

// The mean over the pixels of a window; with count_include_pad over the padding too, as zeros. Where a window has
// nothing to count the result is 0.
Status evaluate_average_pool(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_average_pool));
  FOVEA_TRY(Tensor y, new_output(checked));
  FOVEA_TRY(const SpatialWindow window, resolve_pool(checked));
  FOVEA_TRY(const std::int64_t count_include_pad, context.attributes().integer("count_include_pad", 0));
  const Tensor& x = context.input(0);
  const std::int64_t planes = x.dim(0) * x.dim(1);
  std::vector<double> plane(static_cast<std::size_t>(window.input_count()));
  std::vector<double> means(static_cast<std::size_t>(window.output_count()));
  for (std::int64_t p = 0; p < planes; ++p) {
    widen(x, p * window.input_count(), window.input_count(), plane.data());
    for_each_output(window, [&](std::int64_t o, const auto& taps, const auto& at) {
      double sum = 0, count = 1;
      for_each_pixel(window, taps, at, [&](std::int64_t d, std::int64_t h, std::int64_t w) {
        sum += plane[static_cast<std::size_t>((d * window.input[1] + h) * window.input[2] + w)];
      });
      for (std::size_t i = 0; i < 3; ++i)
        count *= count_include_pad != 0 ? padded_taps(window.axes[i], window.input[i], at[i])
                                        : static_cast<double>(taps[i].end - taps[i].begin);
      means[static_cast<std::size_t>(o)] = count > 0 ? sum / count : 0;
    });
    store_floats(means, y, p * window.output_count());
  }
  context.outputs.push_back(std::move(y));
  return {};
}

}  // namespace fovea::ops
