#include "ops/pool_window.h"

#include <algorithm>

#include "ops/operands.h"

namespace fovea::ops {

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

Result<Shape> infer_pool_shape(const InferContext& context) {
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

std::int64_t padded_taps(const WindowAxis& axis, std::int64_t input, std::int64_t o) {
  WindowAxis unpadded = axis;
  unpadded.pad_begin = 0;
  const IndexRange taps = valid_taps(unpadded, axis.pad_begin + input + axis.pad_end, o);
  return taps.end - taps.begin;
}

}  // namespace fovea::ops
