// The sliding windows of pools: their attributes, shape rule, and a walk over windows and the pixels inside them.
#pragma once

#include "ops/window.h"

namespace fovea::ops {

// kernel_shape, strides, dilations, pads, auto_pad and ceil_mode of a pool over an input of this rank.
Result<WindowAttributes> read_pool_attributes(const Node& node, int rank);

// The output's shape from operand 0, [N, C, 1 to 3 spatial extents]; unranked where that is.
Result<Shape> infer_pool_shape(const InferContext& context);

// From a checked node (its output 0 is the pool's result) to concrete geometry.
Result<SpatialWindow> resolve_pool(const InferContext& checked);

// Taps of output `o` along one axis with the padding counted, but nothing beyond it (ceil_mode).
std::int64_t padded_taps(const WindowAxis& axis, std::int64_t input, std::int64_t o);

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

// The sum over the pixels inside each window of one plane, and how many count: those pixels, or with count_include_pad
// the padding too, which adds nothing to the sum. Calls result(output index, sum, pixels inside, count).
template <class Visit>
void for_each_window_sum(const SpatialWindow& window, std::span<const double> plane, bool count_include_pad,
                         Visit&& result) {
  for_each_output(window, [&](std::int64_t o, const auto& taps, const auto& at) {
    double sum = 0;
    for_each_pixel(window, taps, at, [&](std::int64_t d, std::int64_t h, std::int64_t w) {
      sum += plane[static_cast<std::size_t>((d * window.input[1] + h) * window.input[2] + w)];
    });
    std::int64_t inside = 1, count = 1;
    for (std::size_t i = 0; i < 3; ++i) {
      inside *= taps[i].end - taps[i].begin;
      count *= count_include_pad ? padded_taps(window.axes[i], window.input[i], at[i]) : taps[i].end - taps[i].begin;
    }
    result(o, sum, inside, count);
  });
}

}  // namespace fovea::ops
