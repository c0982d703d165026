#include "ops/window.h"

#include <algorithm>

#include "ops/operands.h"

namespace fovea::ops {
namespace {

// Division rounding towards minus infinity; divisor > 0.
std::int64_t floor_divide(std::int64_t a, std::int64_t b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }
std::int64_t ceil_divide(std::int64_t a, std::int64_t b) { return -floor_divide(-a, b); }

Result<AutoPad> read_auto_pad(const Node& node) {
  FOVEA_TRY(const std::string text, AttributeReader(node).text("auto_pad", "NOTSET"));
  if (text == "NOTSET" || text.empty()) return AutoPad::kNone;
  if (text == "SAME_UPPER") return AutoPad::kSameUpper;
  if (text == "SAME_LOWER") return AutoPad::kSameLower;
  if (text == "VALID") return AutoPad::kValid;
  return bad_input("attribute auto_pad: expected NOTSET, SAME_UPPER, SAME_LOWER or VALID, found {}", text);
}

// The kernel from the attribute and, for convolutions, the weight, which must agree.
Result<std::vector<std::int64_t>> read_kernel(const Node& node, int rank, std::span<const Dim> weight_extents) {
  std::vector<std::int64_t> kernel(static_cast<std::size_t>(rank), -1);
  const bool has_attribute = AttributeReader(node).has("kernel_shape");
  if (has_attribute) {
    FOVEA_TRY(kernel, read_spatial_values(node, "kernel_shape", rank, 1, 1));
  } else if (weight_extents.empty()) {
    return bad_input("attribute kernel_shape: missing, and it has no default");
  }
  for (std::size_t i = 0; i < weight_extents.size(); ++i) {
    if (!weight_extents[i].is_fixed()) continue;
    const std::int64_t extent = weight_extents[i].extent();
    if (extent < 1 || extent > kMaxSpatial)
      return bad_input("operand W: expected kernel extents in [1, {}], found {}", kMaxSpatial, extent);
    if (has_attribute && kernel[i] != extent)
      return bad_input("attribute kernel_shape: expected {} on spatial axis {} as the weight has, found {}", extent, i,
                       kernel[i]);
    kernel[i] = extent;
  }
  return kernel;
}

}  // namespace

Result<std::vector<std::int64_t>> read_spatial_values(const Node& node, std::string_view name, int count,
                                                      std::int64_t minimum, std::int64_t fallback) {
  const AttributeReader reader(node);
  if (!reader.has(name)) return std::vector<std::int64_t>(static_cast<std::size_t>(count), fallback);
  FOVEA_TRY(std::vector<std::int64_t> values, reader.integers(name));
  if (values.size() != static_cast<std::size_t>(count))
    return bad_input("attribute {}: expected {} values, found {}", name, count, values.size());
  for (const std::int64_t v : values)
    if (v < minimum || v > kMaxSpatial)
      return bad_input("attribute {}: expected values in [{}, {}], found {}", name, minimum, kMaxSpatial, v);
  return values;
}

Result<WindowAttributes> read_window_attributes(const Node& node, int spatial_rank,
                                                std::span<const Dim> weight_extents) {
  WindowAttributes out;
  FOVEA_TRY(out.auto_pad, read_auto_pad(node));
  FOVEA_TRY(out.kernel, read_kernel(node, spatial_rank, weight_extents));
  FOVEA_TRY(out.strides, read_spatial_values(node, "strides", spatial_rank, 1, 1));
  FOVEA_TRY(out.dilations, read_spatial_values(node, "dilations", spatial_rank, 1, 1));
  FOVEA_TRY(const std::vector<std::int64_t> pads, read_spatial_values(node, "pads", 2 * spatial_rank, 0, 0));
  out.pads_begin.assign(pads.begin(), pads.begin() + spatial_rank);
  out.pads_end.assign(pads.begin() + spatial_rank, pads.end());
  return out;
}

WindowAxis resolve_window_axis(const WindowAttributes& attributes, int axis, std::int64_t input) {
  const auto i = static_cast<std::size_t>(axis);
  WindowAxis out{attributes.kernel[i], attributes.strides[i], attributes.dilations[i], 0, 0};
  switch (attributes.auto_pad) {
    case AutoPad::kValid:
      break;
    case AutoPad::kNone:
      out.pad_begin = attributes.pads_begin[i];
      out.pad_end = attributes.pads_end[i];
      break;
    case AutoPad::kSameUpper:
    case AutoPad::kSameLower: {
      const std::int64_t windows = ceil_divide(input, out.stride);
      const std::int64_t total = std::max<std::int64_t>(0, (windows - 1) * out.stride + out.reach() - input);
      out.pad_begin = attributes.auto_pad == AutoPad::kSameUpper ? total / 2 : total - total / 2;
      out.pad_end = total - out.pad_begin;
    }
  }
  return out;
}

std::int64_t window_output_extent(std::int64_t input, const WindowAxis& axis, bool ceil_mode) {
  const std::int64_t slack = input + axis.pad_begin + axis.pad_end - axis.reach();
  std::int64_t windows = (ceil_mode ? ceil_divide(slack, axis.stride) : floor_divide(slack, axis.stride)) + 1;
  if (ceil_mode && (windows - 1) * axis.stride >= input + axis.pad_begin) --windows;
  return windows;
}

Result<Dim> window_output_dim(const WindowAttributes& attributes, int axis, const Dim& input) {
  const std::int64_t kernel = attributes.kernel[static_cast<std::size_t>(axis)];
  if (kernel < 0 || !input.is_fixed()) return Dim();
  if (input.extent() > kMaxSpatial)
    return bad_input("operand X: expected spatial extents up to {}, found {}", kMaxSpatial, input.extent());
  const WindowAxis window = resolve_window_axis(attributes, axis, input.extent());
  const std::int64_t extent = window_output_extent(input.extent(), window, attributes.ceil_mode);
  if (extent < 1)
    return bad_input(
        "spatial axis {}: a window of {} (kernel {}, dilation {}) does not fit into {} with padding {} + {}", axis,
        window.reach(), kernel, window.dilation, input.extent(), window.pad_begin, window.pad_end);
  return Dim(extent);
}

IndexRange valid_taps(const WindowAxis& axis, std::int64_t input, std::int64_t o) {
  const std::int64_t start = o * axis.stride - axis.pad_begin;
  const std::int64_t begin = std::max<std::int64_t>(0, ceil_divide(-start, axis.dilation));
  const std::int64_t end = std::min(axis.kernel, floor_divide(input - 1 - start, axis.dilation) + 1);
  return {begin, std::max(begin, end)};
}

IndexRange outputs_with_tap(const WindowAxis& axis, std::int64_t input, std::int64_t output, std::int64_t tap) {
  const std::int64_t offset = tap * axis.dilation - axis.pad_begin;
  const std::int64_t begin = std::max<std::int64_t>(0, ceil_divide(-offset, axis.stride));
  const std::int64_t end = std::min(output, floor_divide(input - 1 - offset, axis.stride) + 1);
  return {begin, std::max(begin, end)};
}

SpatialWindow resolve_window(const WindowAttributes& attributes, const Dims& input, const Dims& output) {
  SpatialWindow out;
  const std::size_t rank = attributes.kernel.size();
  FOVEA_CHECK(rank >= 1 && rank <= kMaxSpatialRank && input.size() == rank + 2 && output.size() == rank + 2);
  for (std::size_t i = 0; i < rank; ++i) {
    const std::size_t axis = kMaxSpatialRank - rank + i;
    out.input[axis] = input[i + 2];
    out.output[axis] = output[i + 2];
    out.axes[axis] = resolve_window_axis(attributes, static_cast<int>(i), input[i + 2]);
  }
  return out;
}

}  // namespace fovea::ops
