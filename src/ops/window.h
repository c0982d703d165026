// The sliding-window geometry that convolutions and pools of one to three spatial axes share.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "ops/op_spec.h"

namespace fovea::ops {

inline constexpr int kMaxSpatialRank = 3;

enum class AutoPad { kNone, kSameUpper, kSameLower, kValid };

// Attributes as written in a node, defaults filled in, one value a spatial axis.
struct WindowAttributes {
  std::vector<std::int64_t> kernel;  // -1 where not known yet (an open weight extent without kernel_shape)
  std::vector<std::int64_t> strides, dilations;
  std::vector<std::int64_t> pads_begin, pads_end;  // meaningful for AutoPad::kNone only
  AutoPad auto_pad = AutoPad::kNone;
  bool ceil_mode = false;  // pools set it
};

// One spatial axis with its padding resolved.
struct WindowAxis {
  std::int64_t kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0;
  std::int64_t reach() const { return (kernel - 1) * dilation + 1; }  // extent that the dilated kernel covers
};

// Half-open range of indices.
struct IndexRange {
  std::int64_t begin = 0, end = 0;
};

// Reads kernel_shape, strides, dilations, pads and auto_pad and checks their counts and values. `weight_extents` are
// the spatial extents of a convolution's weight, which kernel_shape must match; empty for pools, where it is required.
Result<WindowAttributes> read_window_attributes(const Node& node, int spatial_rank,
                                                std::span<const Dim> weight_extents);

// The attribute as a value in [minimum, kMaxSpatial], `count` times; absent means `fallback` everywhere.
Result<std::vector<std::int64_t>> read_spatial_values(const Node& node, std::string_view name, int count,
                                                      std::int64_t minimum, std::int64_t fallback);

// Explicit padding of one axis, given its input extent; the axis's kernel must be known.
WindowAxis resolve_window_axis(const WindowAttributes& attributes, int axis, std::int64_t input);

// Output extent of one axis, 0 or less where the window does not fit. With ceil_mode the last window may reach beyond
// the padded input, but it starts within the input or the padding before it.
std::int64_t window_output_extent(std::int64_t input, const WindowAxis& axis, bool ceil_mode = false);

// The same for a shape rule: open where the input extent or the kernel is, an error where the window does not fit.
Result<Dim> window_output_dim(const WindowAttributes& attributes, int axis, const Dim& input);

// Taps of output `o` that fall into [0, input): their offsets are o * stride - pad_begin + tap * dilation.
IndexRange valid_taps(const WindowAxis& axis, std::int64_t input, std::int64_t o);
// Outputs in [0, output) for which tap `tap` falls into [0, input).
IndexRange outputs_with_tap(const WindowAxis& axis, std::int64_t input, std::int64_t output, std::int64_t tap);

// Depth, height and width for evaluation; leading axes that a node lacks have extent 1.
struct SpatialWindow {
  std::array<WindowAxis, kMaxSpatialRank> axes;
  std::array<std::int64_t, kMaxSpatialRank> input{1, 1, 1}, output{1, 1, 1};
  std::int64_t input_count() const { return input[0] * input[1] * input[2]; }
  std::int64_t output_count() const { return output[0] * output[1] * output[2]; }
  std::int64_t kernel_count() const { return axes[0].kernel * axes[1].kernel * axes[2].kernel; }
};
// From checked attributes and the concrete [N, C, spatial…] extents of input and output.
SpatialWindow resolve_window(const WindowAttributes& attributes, const Dims& input, const Dims& output);

}  // namespace fovea::ops
