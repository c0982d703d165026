// MaxPool and AveragePool over one to three spatial axes.
#include <algorithm>
#include <limits>

#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/pool_window.h"

namespace fovea::ops {
namespace {

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

}  // namespace

Status infer_max_pool(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(
      expect_type(context, 0, "X", {DType::kF32, DType::kF64, DType::kF16, DType::kBf16, DType::kU8, DType::kS8}));
  FOVEA_TRY(const std::int64_t order, context.attributes().integer("storage_order", 0));
  if (order != 0 && order != 1) return bad_input("attribute storage_order: expected 0 or 1, found {}", order);
  FOVEA_TRY(const Shape output, infer_pool_shape(context));
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
  FOVEA_TRY(Shape output, infer_pool_shape(context));
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
    for_each_window_sum(window, plane, count_include_pad != 0,
                        [&](std::int64_t o, double sum, std::int64_t, std::int64_t count) {
                          means[static_cast<std::size_t>(o)] = count > 0 ? sum / static_cast<double>(count) : 0;
                        });
    store_floats(means, y, p * window.output_count());
  }
  context.outputs.push_back(std::move(y));
  return {};
}

}  // namespace fovea::ops
