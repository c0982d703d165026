#include "quant/quantise.h"

#include <cmath>

#include "ops/infer.h"
#include "quant/bias.h"
#include "quant/product_filters.h"
#include "quant/sqnr.h"

namespace fovea::quant {
namespace {

class Quantising {
 public:
  Quantising(const Graph& graph, const QuantiseOptions& options)
      : graph_(graph), uses_(graph.uses()), options_(options), patch_(graph, "quantise") {}

  // Everything that reads the tensor reads its 8-bit form's floats instead.
  Status tensor(const Placement::Tensor& tensor, Range range) {
    const std::string& name = graph_.value(tensor.value).name;
    if (!std::isfinite(range.low) || !std::isfinite(range.high))
      return bad_input("tensor {}: its range is [{}, {}]", name, range.low, range.high);
    const QuantParameters p = activation_parameters(range, options_.activations);
    const bool is_u8 = options_.activations == ActivationType::kU8;
    const ValueId scale = patch_.add_constant(name + "_scale", Tensor::scalar(p.scale));
    const ValueId zero_point =
        is_u8 ? patch_.add_constant(name + "_zero_point", Tensor::scalar(static_cast<std::uint8_t>(p.zero_point)))
              : patch_.add_constant(name + "_zero_point", Tensor::scalar(static_cast<std::int8_t>(p.zero_point)));
    FOVEA_TRY(const ValueId bytes,
              add_inferred(patch_, "QuantizeLinear", name + "_quantized", {tensor.value, scale, zero_point}));
    FOVEA_TRY(const ValueId floats,
              add_inferred(patch_, "DequantizeLinear", name + "_dequantized", {bytes, scale, zero_point}));
    for (const Graph::Use& use : uses_[static_cast<std::size_t>(tensor.value)])
      patch_.set_input(use.node, use.input, floats);
    floats_[tensor.value] = floats;
    parameters_[tensor.value] = p;
    tensors_.push_back({name, tensor.group, range, p});
    return {};
  }

  Status product(const Placement::Product& product, const std::vector<double>* shift) {
    const Node& node = graph_.node(product.node);
    const float x_scale = parameters_.at(product.x).scale;
    FOVEA_TRY(ProductFilters filters, quantise_filters(graph_, product, x_scale, options_, shift));
    QuantisedFilters& w = filters.weights;
    LayerRecord record{node.name, node.op, sqnr_db(w.signal_power, w.error_power), w.empty, false};
    FOVEA_TRY(const ValueId weights, dequantised(node.name + "_weight", std::move(w.s8), w.scale, product.filter_axis));
    patch_.set_input(product.node, 1, weights);
    const bool takes_bias = node.op != "MatMul";
    if (filters.has_bias || (shift && takes_bias)) {
      FOVEA_TRY(const ValueId bias, bias_value(node.name + "_bias", filters.bias, x_scale, w.scale, record));
      FOVEA_RETURN_IF_ERROR(set_bias(product, weights, bias));
    }
    layers_.push_back(std::move(record));
    return {};
  }

  // Changes the graph that was given.
  Status finish(QuantisedNetwork& out) && {
    out.tensors = std::move(tensors_);
    out.layers = std::move(layers_);
    return std::move(patch_).apply(out.graph);
  }

 private:
  // Nodes without a place for a bias are made anew.
  Status set_bias(const Placement::Product& product, ValueId weights, ValueId bias) {
    const Node& node = graph_.node(product.node);
    if (node.inputs.size() > 2) {
      patch_.set_input(product.node, 2, bias);
      return {};
    }
    FOVEA_TRY(const ValueId out,
              add_inferred(patch_, node.op, node.name, {floats_.at(product.x), weights, bias}, node.attributes));
    patch_.redirect(node.outputs[0], out);
    patch_.drop(product.node);
    return {};
  }

  // Integers behind a DequantizeLinear with zero point 0.
  Result<ValueId> dequantised(const std::string& name, Tensor integers, const std::vector<float>& scale, int axis) {
    const Dims dims = scale.size() == 1 ? Dims{} : Dims{std::ssize(scale)};
    const ValueId scales = patch_.add_constant(name + "_scale", Tensor::of<float>(dims, std::span(scale)));
    const ValueId zero_points = patch_.add_constant(name + "_zero_point", Tensor::zeros(integers.dtype(), dims));
    const ValueId values = patch_.add_constant(name + "_quantized", std::move(integers));
    Attributes attributes;
    if (!dims.empty()) attributes["axis"] = std::int64_t{axis};
    return add_inferred(patch_, "DequantizeLinear", name + "_dequantized", {values, scales, zero_points}, attributes);
  }

  Result<ValueId> bias_value(const std::string& name, const std::vector<double>& bias, float x_scale,
                             const std::vector<float>& weight_scale, LayerRecord& record) {
    if (auto integers = quantise_bias(bias, x_scale, weight_scale))
      return dequantised(name, std::move(integers->s32), integers->scale, 0);
    record.float_bias = true;
    const std::vector<float> floats(bias.begin(), bias.end());
    return patch_.add_constant(name, Tensor::of<float>({std::ssize(floats)}, std::span(floats)));
  }

  const Graph& graph_;
  std::vector<std::vector<Graph::Use>> uses_;
  const QuantiseOptions& options_;
  GraphPatch patch_;
  std::map<ValueId, QuantParameters> parameters_;
  std::map<ValueId, ValueId> floats_;  // a quantised tensor -> what is read in its place
  std::vector<TensorRecord> tensors_;
  std::vector<LayerRecord> layers_;
};

}  // namespace

Result<QuantisedNetwork> quantise(const Graph& graph, const Placement& placement, const std::vector<Range>& ranges,
                                  const QuantiseOptions& options, const BiasShifts& shifts) {
  FOVEA_CHECK(std::ssize(ranges) == placement.groups);
  QuantisedNetwork out{graph, {}, {}};
  Quantising work(out.graph, options);
  for (const Placement::Tensor& tensor : placement.tensors)
    FOVEA_RETURN_IF_ERROR(work.tensor(tensor, ranges[static_cast<std::size_t>(tensor.group)]));
  for (const Placement::Product& product : placement.products) {
    const auto shift = shifts.find(product.node);
    auto status = work.product(product, shift == shifts.end() ? nullptr : &shift->second);
    if (!status.ok()) return std::move(status).error().within("node " + graph.node(product.node).name);
  }
  FOVEA_RETURN_IF_ERROR(std::move(work).finish(out));
  return out;
}

}  // namespace fovea::quant
