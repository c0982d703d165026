// Resize (opsets 11 to 19): separable nearest, linear and cubic resampling of any axes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

#include "ops/axes.h"
#include "ops/element_types.h"
#include "ops/integer_operand.h"
#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/resize_axis.h"
#include "ops/strided.h"

namespace fovea::ops {
namespace {

enum ResizeInput { kX, kRoi, kScales, kSizes };

// Longest resized axis: its list of taps takes up to 64 bytes an element.
constexpr std::int64_t kMaxResized = std::int64_t{1} << 24;

// Files leave an operand out as an empty tensor, too; whether it is empty may not be known yet.
enum class Presence { kNo, kMaybe, kYes };
Presence presence(const InferContext& context, int i) {
  if (!context.has(i)) return Presence::kNo;
  const Shape& shape = context.shape(i);
  if (!shape.is_ranked() || (shape.rank() == 1 && !shape[0].is_fixed())) return Presence::kMaybe;
  return shape.rank() == 1 && shape[0] == Dim(0) ? Presence::kNo : Presence::kYes;
}

// The axes that roi, scales and sizes speak of, in their order.
Result<std::vector<int>> listed_axes(const InferContext& context) {
  const int rank = context.shape(kX).rank();
  if (!context.attributes().has("axes")) {
    std::vector<int> all(static_cast<std::size_t>(rank));
    std::iota(all.begin(), all.end(), 0);
    return all;
  }
  FOVEA_TRY(const std::vector<std::int64_t> axes, context.attributes().integers("axes"));
  return resolve_axes("attribute axes", axes, rank);
}

// Elements of roi or scales as float, if they are known.
Result<std::optional<std::vector<float>>> known_floats(const InferContext& context, int i, std::string_view name,
                                                       std::size_t count) {
  FOVEA_RETURN_IF_ERROR(expect_shape(context, i, name, {Dim(static_cast<std::int64_t>(count))},
                                     fmt::format("{} a resized axis", i == kRoi ? "start and end" : "one value")));
  if (!context.constant(i)) return std::optional<std::vector<float>>();
  std::vector<float> values = context.constant(i)->to_floats();
  if (values.size() != count) return bad_input("operand {}: expected {} values, found {}", name, count, values.size());
  return std::optional(std::move(values));
}

// What is known of the result: its extents, and how each axis is resampled where that is known too.
struct ResizePlan {
  Shape output;
  std::vector<std::optional<ResizeAxis>> axes;  // one an axis of X
};

Status plan_by_scales(const InferContext& context, const std::vector<int>& axes, ResizePlan& plan) {
  FOVEA_TRY(const auto scales, known_floats(context, kScales, "scales", axes.size()));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Dim input = context.shape(kX)[axes[i]];
    Dim& output = plan.output[axes[i]];
    auto& axis = plan.axes[static_cast<std::size_t>(axes[i])];
    if (!scales) {
      output = Dim();
      axis.reset();
      continue;
    }
    const float scale = (*scales)[i];
    if (!(scale > 0) || !std::isfinite(scale))
      return bad_input("operand scales: expected positive values, found {}", scale);
    if (scale == 1) continue;
    output = Dim();
    if (!input.is_fixed()) continue;
    // In float, as the shape rule of ONNX does it.
    const float extent = std::floor(static_cast<float>(input.extent()) * scale);
    if (!(extent >= 1 && extent <= static_cast<float>(kMaxResized)))
      return bad_input("operand scales: {} times extent {} gives {}, expected a value in [1, {}]", scale,
                       input.extent(), extent, kMaxResized);
    output = Dim(static_cast<std::int64_t>(extent));
    // A scale that is the ratio of the lengths up to rounding stands for that ratio.
    const bool is_ratio = scale == static_cast<float>(output.extent()) / static_cast<float>(input.extent());
    const double resized = static_cast<double>(scale) * static_cast<double>(input.extent());
    axis = ResizeAxis{input.extent(), output.extent(), is_ratio ? static_cast<double>(output.extent()) : resized};
  }
  return {};
}

// The one factor for all axes that keeps the aspect ratio within (not_larger) or around (not_smaller) the sizes;
// nothing while an extent is open.
Result<std::optional<double>> common_scale(const InferContext& context, const std::vector<int>& axes,
                                           const std::vector<std::int64_t>& sizes, AspectPolicy policy) {
  std::optional<double> scale;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Dim input = context.shape(kX)[axes[i]];
    if (!input.is_fixed()) return std::optional<double>();
    if (input.extent() < 1)
      return bad_input("operand X: expected extents of at least 1, found {}", context.type(kX).text());
    const double ratio = static_cast<double>(sizes[i]) / static_cast<double>(input.extent());
    scale = !scale ? ratio : policy == AspectPolicy::kNotLarger ? std::min(*scale, ratio) : std::max(*scale, ratio);
  }
  return scale;
}

Status plan_by_sizes(const InferContext& context, const std::vector<int>& axes, AspectPolicy policy, ResizePlan& plan) {
  FOVEA_RETURN_IF_ERROR(expect_shape(context, kSizes, "sizes", {Dim(static_cast<std::int64_t>(axes.size()))},
                                     "one value a resized axis"));
  FOVEA_TRY(const auto sizes, known_integers(context, kSizes, "sizes"));
  if (sizes && sizes->size() != axes.size())
    return bad_input("operand sizes: expected {} values, found {}", axes.size(), sizes->size());
  if (sizes)
    for (const std::int64_t size : *sizes)
      if (size < 0 || size > kMaxResized)
        return bad_input("operand sizes: expected values in [0, {}], found {}", kMaxResized, size);
  const bool keeps_ratio = policy != AspectPolicy::kStretch;
  std::optional<double> scale;
  if (sizes && keeps_ratio) {
    FOVEA_TRY(scale, common_scale(context, axes, *sizes, policy));
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const Dim input = context.shape(kX)[axes[i]];
    Dim& output = plan.output[axes[i]];
    auto& axis = plan.axes[static_cast<std::size_t>(axes[i])];
    output = Dim();
    axis.reset();
    if (!sizes || (keeps_ratio && !scale)) continue;
    const double resized =
        keeps_ratio ? *scale * static_cast<double>(input.extent()) : static_cast<double>((*sizes)[i]);
    if (resized > static_cast<double>(kMaxResized))
      return bad_input("operand sizes: axis {} would become {}, expected up to {}", axes[i], resized, kMaxResized);
    output = Dim(keeps_ratio ? static_cast<std::int64_t>(std::floor(resized + 0.5)) : (*sizes)[i]);
    if (!input.is_fixed()) continue;
    if (output.extent() != input.extent() && (output == Dim(0) || input == Dim(0)))
      return bad_input("operand sizes: axis {} cannot go from {} to {} elements", axes[i], input.text(), output.text());
    axis = ResizeAxis{input.extent(), output.extent(), resized};
  }
  return {};
}

Status apply_roi(const InferContext& context, const std::vector<int>& axes, ResizePlan& plan) {
  if (presence(context, kRoi) == Presence::kNo)
    return bad_input("operand roi: missing, and coordinate_transformation_mode is tf_crop_and_resize");
  FOVEA_TRY(const auto roi, known_floats(context, kRoi, "roi", 2 * axes.size()));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    auto& axis = plan.axes[static_cast<std::size_t>(axes[i])];
    if (!roi) axis.reset();
    if (!axis) continue;
    axis->roi_begin = (*roi)[i];
    axis->roi_end = (*roi)[axes.size() + i];
  }
  return {};
}

Result<ResizePlan> plan_resize(const InferContext& context, const ResizeAttributes& attributes) {
  const Presence scales = presence(context, kScales), sizes = presence(context, kSizes);
  const bool both = scales == Presence::kYes && sizes == Presence::kYes;
  if (both || (scales == Presence::kNo && sizes == Presence::kNo))
    return bad_input("expected operand scales or operand sizes, found {}", both ? "both" : "neither");
  if (context.has(kScales)) FOVEA_RETURN_IF_ERROR(expect_type(context, kScales, "scales", {DType::kF32}));
  if (context.has(kSizes)) FOVEA_RETURN_IF_ERROR(expect_type(context, kSizes, "sizes", {DType::kS64}));
  if (context.has(kRoi)) FOVEA_RETURN_IF_ERROR(expect_type(context, kRoi, "roi", kFloatTypes));
  const Shape& x = context.shape(kX);
  if (!x.is_ranked()) return ResizePlan{};
  ResizePlan plan{x, std::vector<std::optional<ResizeAxis>>(static_cast<std::size_t>(x.rank()))};
  for (int i = 0; i < x.rank(); ++i)
    if (x[i].is_fixed())
      plan.axes[static_cast<std::size_t>(i)] =
          ResizeAxis{x[i].extent(), x[i].extent(), static_cast<double>(x[i].extent())};
  FOVEA_TRY(const std::vector<int> axes, listed_axes(context));
  if (scales == Presence::kMaybe && sizes == Presence::kMaybe) {
    plan.output = Shape(std::vector<Dim>(static_cast<std::size_t>(x.rank())));
    return plan;
  }
  const bool by_scales = scales == Presence::kYes || sizes == Presence::kNo;
  FOVEA_RETURN_IF_ERROR(by_scales ? plan_by_scales(context, axes, plan)
                                  : plan_by_sizes(context, axes, attributes.policy, plan));
  if (attributes.coordinates == CoordinateMode::kTfCropAndResize) FOVEA_RETURN_IF_ERROR(apply_roi(context, axes, plan));
  return plan;
}

// A tensor as [outer, extent, inner] around one axis.
struct AxisView {
  std::int64_t outer = 1, inner = 1;
  AxisView(const Dims& dims, std::size_t axis) {
    for (std::size_t i = 0; i < dims.size(); ++i) (i < axis ? outer : inner) *= i == axis ? 1 : dims[i];
  }
};

// Resamples one axis: combine(from rows of the taps, to row) makes one row of `inner` elements. Updates dims.
template <class T, class Combine>
std::vector<T> resample(const std::vector<T>& from, Dims& dims, std::size_t axis, std::int64_t output,
                        const ResizeTaps& taps, Combine&& combine) {
  const AxisView view(dims, axis);
  const std::int64_t input = dims[axis];
  std::vector<T> to(static_cast<std::size_t>(view.outer * output * view.inner));
  for (std::int64_t n = 0; n < view.outer; ++n)
    for (std::int64_t o = 0; o < output; ++o) {
      T* row = to.data() + (n * output + o) * view.inner;
      for (std::int64_t t = 0; t < taps.count; ++t) {
        const std::int64_t source = taps.indices[static_cast<std::size_t>(o * taps.count + t)];
        combine(from.data() + (n * input + source) * view.inner,
                taps.weights[static_cast<std::size_t>(o * taps.count + t)], row, view.inner, t == 0);
      }
    }
  dims[axis] = output;
  return to;
}

// Resamples all axes, shrinking ones first, so that no intermediate is larger than both the input and the output.
template <class T, class Combine>
std::vector<T> resample_all(std::vector<T> values, Dims dims, const ResizeAttributes& attributes,
                            const std::vector<ResizeAxis>& axes, Combine&& combine) {
  std::vector<std::size_t> order(axes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto growth = [&](std::size_t i) {
    return axes[i].resized / static_cast<double>(std::max<std::int64_t>(1, axes[i].input));
  };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return growth(a) < growth(b); });
  for (const std::size_t i : order)
    if (!is_identity(attributes, axes[i]))
      values = resample(values, dims, i, axes[i].output, resize_taps(attributes, axes[i]), combine);
  return values;
}

// Overwrites what lies outside the region of interest.
void fill_outside(const ResizeAttributes& attributes, const std::vector<ResizeAxis>& axes, Tensor& y) {
  if (attributes.coordinates != CoordinateMode::kTfCropAndResize) return;
  const Tensor fill = Tensor::scalar(attributes.extrapolation_value).cast(y.dtype());
  dispatch_bytes(size_of(y.dtype()), [&](auto tag) {
    using T = decltype(tag);
    T value;
    std::memcpy(&value, fill.raw(), sizeof value);
    T* out = static_cast<T*>(y.raw());
    for (std::size_t i = 0; i < axes.size(); ++i) {
      const AxisView view(y.dims(), i);
      if (is_identity(attributes, axes[i])) continue;
      for (const std::int64_t o : resize_taps(attributes, axes[i]).outside)
        for (std::int64_t n = 0; n < view.outer; ++n)
          std::fill_n(out + (n * axes[i].output + o) * view.inner, view.inner, value);
    }
  });
}

void resize_nearest(const Tensor& x, const ResizeAttributes& attributes, const std::vector<ResizeAxis>& axes,
                    Tensor& y) {
  dispatch_bytes(size_of(x.dtype()), [&](auto tag) {
    using T = decltype(tag);
    std::vector<T> values(static_cast<std::size_t>(x.count()));
    if (!values.empty()) std::memcpy(values.data(), x.raw(), x.bytes());
    const auto copy = [](const T* from, double, T* to, std::int64_t count, bool) { std::copy_n(from, count, to); };
    values = resample_all(std::move(values), x.dims(), attributes, axes, copy);
    FOVEA_CHECK(values.size() * sizeof(T) == y.bytes());
    if (!values.empty()) std::memcpy(y.raw(), values.data(), y.bytes());
  });
}

void resize_interpolated(const Tensor& x, const ResizeAttributes& attributes, const std::vector<ResizeAxis>& axes,
                         Tensor& y) {
  const auto add = [](const double* from, double weight, double* to, std::int64_t count, bool first) {
    for (std::int64_t i = 0; i < count; ++i) to[i] = (first ? 0.0 : to[i]) + weight * from[i];
  };
  store_floats(resample_all(widened(x), x.dims(), attributes, axes, add), y);
}

}  // namespace

Status infer_resize(InferContext& context) {
  FOVEA_TRY(const ResizeAttributes attributes, read_resize_attributes(context.node()));
  FOVEA_RETURN_IF_ERROR(expect_type(context, kX, "X", kAllTypes));
  if (attributes.mode != ResizeMode::kNearest && !is_float(context.type(kX).dtype))
    return unsupported("operand X: mode {} takes floats, found {}",
                       attributes.mode == ResizeMode::kLinear ? "linear" : "cubic", context.type(kX).text());
  FOVEA_TRY(ResizePlan plan, plan_resize(context, attributes));
  return add_output(context, context.type(kX).dtype, std::move(plan.output));
}

Status evaluate_resize(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_resize));
  FOVEA_TRY(const ResizeAttributes attributes, read_resize_attributes(context.node()));
  FOVEA_TRY(const ResizePlan plan, plan_resize(checked, attributes));
  FOVEA_TRY(Tensor y, new_output(checked));
  std::vector<ResizeAxis> axes;
  for (const auto& axis : plan.axes) {
    FOVEA_CHECK(axis.has_value());
    axes.push_back(*axis);
  }
  if (attributes.mode == ResizeMode::kNearest)
    resize_nearest(context.input(kX), attributes, axes, y);
  else
    resize_interpolated(context.input(kX), attributes, axes, y);
  fill_outside(attributes, axes, y);
  context.outputs.push_back(std::move(y));
  return {};
}

}  // namespace fovea::ops
