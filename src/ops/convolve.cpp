#include "ops/convolve.h"

#include <algorithm>

#include "ops/operands.h"

namespace fovea::ops {
namespace {

// A 1x1 convolution without stride and padding sees each image plane as one long row.
SpatialWindow flattened_if_pointwise(const SpatialWindow& window) {
  for (const WindowAxis& axis : window.axes)
    if (axis.kernel != 1 || axis.stride != 1 || axis.pad_begin != 0 || axis.pad_end != 0) return window;
  SpatialWindow flat;
  flat.input[2] = window.input_count();
  flat.output[2] = window.output_count();
  return flat;
}

// result += weight * the pixels of `plane` that one tap (at kd, kh, kw) meets.
void add_tap(const SpatialWindow& window, const std::array<std::int64_t, 3>& tap, double weight, const double* plane,
             double* result) {
  std::array<IndexRange, 3> range;
  std::array<std::int64_t, 3> offset;  // of the tap in the input for output 0
  for (std::size_t i = 0; i < 3; ++i) {
    range[i] = outputs_with_tap(window.axes[i], window.input[i], window.output[i], tap[i]);
    offset[i] = tap[i] * window.axes[i].dilation - window.axes[i].pad_begin;
  }
  const auto& [d_axis, h_axis, w_axis] = window.axes;
  for (std::int64_t d = range[0].begin; d < range[0].end; ++d)
    for (std::int64_t h = range[1].begin; h < range[1].end; ++h) {
      const std::int64_t in_d = d * d_axis.stride + offset[0], in_h = h * h_axis.stride + offset[1];
      const double* row = plane + (in_d * window.input[1] + in_h) * window.input[2];
      double* out = result + (d * window.output[1] + h) * window.output[2];
      const std::int64_t begin = range[2].begin, end = range[2].end, stride = w_axis.stride;
      if (stride == 1) {
        for (std::int64_t w = begin; w < end; ++w) out[w] += weight * row[w + offset[2]];
      } else {
        for (std::int64_t w = begin; w < end; ++w) out[w] += weight * row[w * stride + offset[2]];
      }
    }
}

}  // namespace

Result<std::int64_t> read_group(const Node& node) {
  FOVEA_TRY(const std::int64_t group, AttributeReader(node).integer("group", 1));
  if (group < 1 || group > kMaxSpatial)
    return bad_input("attribute group: expected a value in [1, {}], found {}", kMaxSpatial, group);
  return group;
}

Result<Shape> infer_convolution(const InferContext& context, int x, int w) {
  constexpr int kMaxConvRank = kMaxSpatialRank + 2;
  FOVEA_RETURN_IF_ERROR(expect_rank(context, x, "X", 3, kMaxConvRank));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, w, "W", 3, kMaxConvRank));
  FOVEA_TRY(const std::int64_t group, read_group(context.node()));
  const Shape &input = context.shape(x), &weight = context.shape(w);
  if (!input.is_ranked() && !weight.is_ranked()) return Shape();
  const int rank = input.is_ranked() ? input.rank() : weight.rank();
  if (weight.is_ranked()) FOVEA_RETURN_IF_ERROR(expect_rank(context, w, "W", rank, rank));

  std::vector<Dim> kernel(static_cast<std::size_t>(rank - 2));
  Dim filters;
  if (weight.is_ranked()) {
    kernel.assign(weight.dims().begin() + 2, weight.dims().end());
    filters = weight[0];
    if (weight[0] == Dim(0) || weight[1] == Dim(0))
      return bad_input("operand W: expected at least one filter and one channel, found {}", weight.text());
    if (filters.is_fixed() && filters.extent() % group != 0)
      return bad_input("attribute group: {} does not divide the {} filters of W {}", group, filters.extent(),
                       weight.text());
  }
  FOVEA_TRY(const WindowAttributes attributes, read_window_attributes(context.node(), rank - 2, kernel));
  Shape output(std::vector<Dim>(static_cast<std::size_t>(rank)));
  output[1] = filters.is_fixed() ? filters : Dim();
  if (!input.is_ranked()) return output;
  if (input[1].is_fixed() && input[1].extent() % group != 0)
    return bad_input("attribute group: {} does not divide the {} channels of X {}", group, input[1].extent(),
                     input.text());
  if (input[1].is_fixed() && weight.is_ranked() && !weight[1].may_equal(input[1].extent() / group))
    return bad_input("operand W: expected {} channels a group (X {}, group {}), found {}", input[1].extent() / group,
                     input.text(), group, weight.text());
  output[0] = input[0];
  for (int i = 0; i < rank - 2; ++i) {
    FOVEA_TRY(output[i + 2], window_output_dim(attributes, i, input[i + 2]));
  }
  return output;
}

Result<Convolution> resolve_convolution(const InferContext& context, int x, int w, const Shape& output) {
  const Dims input = *context.shape(x).fixed(), weight = *context.shape(w).fixed();
  Convolution out;
  out.batch = input[0];
  out.channels = input[1];
  out.filters = weight[0];
  FOVEA_TRY(out.group, read_group(context.node()));
  const std::vector<Dim> kernel(weight.begin() + 2, weight.end());
  FOVEA_TRY(const WindowAttributes attributes,
            read_window_attributes(context.node(), static_cast<int>(kernel.size()), kernel));
  out.window = resolve_window(attributes, input, *output.fixed());
  return out;
}

void convolve_image(const Convolution& convolution, std::span<const double> image, std::span<const double> weights,
                    std::span<double> result) {
  const SpatialWindow window = flattened_if_pointwise(convolution.window);
  const std::int64_t group_channels = convolution.channels / convolution.group;
  const std::int64_t group_filters = convolution.filters / convolution.group;
  FOVEA_CHECK(static_cast<std::int64_t>(image.size()) == convolution.image_count());
  FOVEA_CHECK(static_cast<std::int64_t>(weights.size()) ==
              convolution.filters * group_channels * window.kernel_count());
  FOVEA_CHECK(static_cast<std::int64_t>(result.size()) == convolution.result_count());
  std::fill(result.begin(), result.end(), 0.0);
  const double* weight = weights.data();
  for (std::int64_t o = 0; o < convolution.filters; ++o) {
    double* out = result.data() + o * window.output_count();
    const double* plane = image.data() + o / group_filters * group_channels * window.input_count();
    for (std::int64_t c = 0; c < group_channels; ++c, plane += window.input_count())
      for (std::int64_t kd = 0; kd < window.axes[0].kernel; ++kd)
        for (std::int64_t kh = 0; kh < window.axes[1].kernel; ++kh)
          for (std::int64_t kw = 0; kw < window.axes[2].kernel; ++kw)
            add_tap(window, {kd, kh, kw}, *weight++, plane, out);
  }
}

double convolution_macs(const Shape& w, const Shape& output) {
  if (!output.is_ranked() || output.rank() < 3) return 0;
  return elements_or_one(w) * extent_or_one(output[0]) * elements_or_one(output, 2);
}

}  // namespace fovea::ops
