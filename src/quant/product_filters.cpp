#include "quant/product_filters.h"

#include "quant/bias.h"

namespace fovea::quant {

Result<ProductFilters> quantise_filters(const Graph& graph, const Placement::Product& product, float x_scale,
                                        const QuantiseOptions& options, const std::vector<double>* shift) {
  const Node& node = graph.node(product.node);
  ProductFilters out;
  out.bias.resize(static_cast<std::size_t>(product.filters));
  out.has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  if (out.has_bias) {
    const auto given = graph.value(node.inputs[2]).constant->as<float>();
    out.bias.assign(given.begin(), given.end());
  }
  for (std::size_t o = 0; shift && o < out.bias.size(); ++o) out.bias[o] += (*shift)[o];
  if (options.rounded)
    if (const auto found = options.rounded->find(product.node); found != options.rounded->end()) {
      out.weights = found->second;
      return out;
    }
  const auto least = options.weights.per_channel ? least_weight_scales(out.bias, x_scale) : std::vector<double>();
  FOVEA_TRY(out.weights,
            quantise_weights(*graph.value(node.inputs[1]).constant, product.filter_axis, options.weights, least));
  return out;
}

Tensor dequantised_weights(const QuantisedFilters& filters, int filter_axis) {
  const Tensor& s8 = filters.s8;
  Tensor out(DType::kF32, s8.dims());
  const std::int64_t count = s8.dim(filter_axis), inner = filter_axis == 0 ? s8.count() / count : 1;
  for (std::int64_t i = 0; i < s8.count(); ++i) {
    const auto o = filters.scale.size() == 1 ? 0 : static_cast<std::size_t>(i / inner % count);
    out.as<float>()[static_cast<std::size_t>(i)] =
        static_cast<float>(s8.as<std::int8_t>()[static_cast<std::size_t>(i)]) * filters.scale[o];
  }
  return out;
}

}  // namespace fovea::quant
