#include "ops/conv_attributes.h"

#include "ops/operands.h"
#include "ops/window.h"

namespace fovea {
namespace {

// Spatial rank by the input or, where that is unranked, by the weight; 0 if neither is known.
int spatial_rank_of(const Shape& input, const Shape& weight) {
  if (input.is_ranked()) return input.rank() - 2;
  return weight.is_ranked() ? weight.rank() - 2 : 0;
}

}  // namespace

Result<ConvAttributes> read_conv_attributes(const Node& node, const Shape& input, const Shape& weight) {
  const int rank = spatial_rank_of(input, weight);
  if (rank != 1 && rank != 2)
    return unsupported("expected a one- or two-dimensional window, found input {} and weight {}", input.text(),
                       weight.text());
  if (weight.is_ranked() && weight.rank() != rank + 2)
    return bad_input("operand W: expected rank {}, found {}", rank + 2, weight.text());
  std::vector<Dim> weight_extents;
  if (weight.is_ranked()) weight_extents.assign(weight.dims().begin() + 2, weight.dims().end());
  FOVEA_TRY(const ops::WindowAttributes window, ops::read_window_attributes(node, rank, weight_extents));

  ops::WindowAxis axes[2];  // height, width
  const bool same = window.auto_pad == ops::AutoPad::kSameUpper || window.auto_pad == ops::AutoPad::kSameLower;
  for (int i = 0; i < rank; ++i) {
    const Dim extent = input.is_ranked() ? input[i + 2] : Dim();
    if (window.kernel[static_cast<std::size_t>(i)] < 0) return bad_input("operand W: its kernel extents are open");
    if (same && !extent.is_fixed())
      return bad_input("attribute auto_pad: needs the spatial extents of the input, found {}", input.text());
    if (extent.is_fixed() && extent.extent() > ops::kMaxSpatial)
      return bad_input("operand X: expected spatial extents up to {}, found {}", ops::kMaxSpatial, extent.extent());
    axes[2 - rank + i] = ops::resolve_window_axis(window, i, extent.is_fixed() ? extent.extent() : 0);
  }
  FOVEA_TRY(const std::int64_t group, AttributeReader(node).integer("group", 1));
  if (group < 1 || group > ops::kMaxSpatial)
    return bad_input("attribute group: expected a value in [1, {}], found {}", ops::kMaxSpatial, group);
  const auto& [h, w] = axes;
  return ConvAttributes{h.kernel,    w.kernel,    h.stride,  w.stride,  h.dilation, w.dilation,
                        h.pad_begin, w.pad_begin, h.pad_end, w.pad_end, group};
}

void write_conv_attributes(const ConvAttributes& conv, Attributes& attributes) {
  attributes.erase("auto_pad");
  attributes["strides"] = std::vector<std::int64_t>{conv.stride_h, conv.stride_w};
  attributes["dilations"] = std::vector<std::int64_t>{conv.dilation_h, conv.dilation_w};
  attributes["pads"] = std::vector<std::int64_t>{conv.pad_top, conv.pad_left, conv.pad_bottom, conv.pad_right};
  attributes["group"] = conv.group;
}

std::int64_t conv_output_extent(std::int64_t input, std::int64_t kernel, std::int64_t stride, std::int64_t dilation,
                                std::int64_t pad_begin, std::int64_t pad_end) {
  return ops::window_output_extent(input, {kernel, stride, dilation, pad_begin, pad_end});
}

}  // namespace fovea
