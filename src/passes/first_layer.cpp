#include "passes/first_layer.h"

#include "ops/conv_attributes.h"
#include "ops/fused_qconv.h"

namespace fovea::passes {

bool copies_its_input(const Graph& graph, const Node& conv) {
  constexpr std::int64_t kFewChannels = 8;
  constexpr std::size_t kImage = FusedConvInputs::kX, kWeight = FusedConvInputs::kWeight;
  static_assert(kImage == FusedQConvInputs::kX && kWeight == FusedQConvInputs::kWeight);
  const Shape& x = graph.value(conv.inputs[kImage]).type.shape;
  if (x.rank() != 4 || !x[1].is_fixed() || x[1].extent() > kFewChannels) return false;
  const auto geometry = read_conv_attributes(conv, x, graph.value(conv.inputs[kWeight]).type.shape);
  return geometry.ok() && geometry->group == 1 && geometry->dilation_h == 1 && geometry->dilation_w == 1;
}

}  // namespace fovea::passes
