#include "backends/cpu/pool_shape.h"

#include "ops/conv_attributes.h"

namespace fovea::cpu {
namespace {

// Pools have no weights, so a stand-in of their kernel_shape carries it to read_conv_attributes.
Result<ConvAttributes> read_windows(const TacticQuery& query) {
  const AttributeReader attributes(query.node);
  FOVEA_TRY(const std::int64_t global, attributes.integer("global", 0));
  if (global != 0) {
    ConvAttributes whole;
    whole.kernel_h = query.input_dims(0)[2];
    whole.kernel_w = query.input_dims(0)[3];
    return whole;
  }
  FOVEA_TRY(const auto kernel, attributes.integers("kernel_shape"));
  if (kernel.size() != 2) return unsupported("{} spatial axes, for 2", kernel.size());
  return read_conv_attributes(query.node, query.input(0).type.shape, Shape(Dims{1, 1, kernel[0], kernel[1]}));
}

}  // namespace

Result<kernels::PoolShape> read_pool_shape(const TacticQuery& query) {
  const Dims in = query.input_dims(0), out = query.output_dims();
  if (in.size() != 4) return unsupported("rank {}, for 4", in.size());
  if (element_count(in) == 0 || element_count(out) == 0) return unsupported("empty");
  constexpr std::int64_t kMax = 1 << 30;
  for (std::int64_t extent : in)
    if (extent > kMax) return unsupported("an extent exceeds 2^30");
  FOVEA_TRY(const ConvAttributes g, read_windows(query));
  const auto i = [](std::int64_t v) { return static_cast<int>(v); };
  return kernels::PoolShape{i(in[1]),        i(in[2]),      i(in[3]),      i(out[2]),       i(out[3]),
                            i(g.kernel_h),   i(g.kernel_w), i(g.stride_h), i(g.stride_w),   i(g.dilation_h),
                            i(g.dilation_w), i(g.pad_top),  i(g.pad_left), i(g.pad_bottom), i(g.pad_right)};
}

}  // namespace fovea::cpu
