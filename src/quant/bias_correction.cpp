#include "quant/bias_correction.h"

#include "ops/infer.h"
#include "quant/product_filters.h"

namespace fovea::quant {
namespace {

// The float network with, beside each product, the same product of 8-bit input and weights, and the mean of both.
class Probes {
 public:
  struct Probe {
    Placement::Product product;
    ValueId exact = kNoValue, rounded = kNoValue;  // means, [1,O,1,1] or [1,O]
  };

  Probes(const Graph& graph, const QuantiseOptions& options)
      : graph_(graph), options_(options), patch_(graph, "measure layers") {}

  Status add(const Placement::Product& product, QuantParameters p) {
    const Node& node = graph_.node(product.node);
    FOVEA_TRY(const ProductFilters filters, quantise_filters(graph_, product, p.scale, options_, nullptr));
    FOVEA_TRY(const ValueId x, rounded_input(product.x, p));
    const ValueId w =
        patch_.add_constant(node.name + "_rounded", dequantised_weights(filters.weights, product.filter_axis));
    std::vector<ValueId> inputs = node.inputs;
    inputs[0] = x;
    inputs[1] = w;
    FOVEA_TRY(const ValueId y, add_inferred(patch_, node.op, node.name + "_in_8_bits", inputs, node.attributes));
    FOVEA_TRY(const ValueId exact, mean(node.outputs[0], node.name + "_mean"));
    FOVEA_TRY(const ValueId rounded, mean(y, node.name + "_mean_in_8_bits"));
    probes_.push_back({product, exact, rounded});
    return {};
  }

  const std::vector<Probe>& probes() const { return probes_; }
  Status apply(Graph& graph) && { return std::move(patch_).apply(graph); }

 private:
  Result<ValueId> rounded_input(ValueId x, QuantParameters p) {
    if (const auto found = inputs_.find(x); found != inputs_.end()) return found->second;
    const std::string& name = graph_.value(x).name;
    const ValueId scale = patch_.add_constant(name + "_scale", Tensor::scalar(p.scale));
    const ValueId zero_point =
        options_.activations == ActivationType::kU8
            ? patch_.add_constant(name + "_zero_point", Tensor::scalar(static_cast<std::uint8_t>(p.zero_point)))
            : patch_.add_constant(name + "_zero_point", Tensor::scalar(static_cast<std::int8_t>(p.zero_point)));
    FOVEA_TRY(const ValueId bytes, add_inferred(patch_, "QuantizeLinear", name + "_quantized", {x, scale, zero_point}));
    FOVEA_TRY(const ValueId floats,
              add_inferred(patch_, "DequantizeLinear", name + "_dequantized", {bytes, scale, zero_point}));
    return inputs_[x] = floats;
  }

  Result<ValueId> mean(ValueId y, const std::string& name) {
    if (patch_.type(y).shape.rank() != 4) return y;
    return add_inferred(patch_, "GlobalAveragePool", name, {y});
  }

  const Graph& graph_;
  const QuantiseOptions& options_;
  GraphPatch patch_;
  std::map<ValueId, ValueId> inputs_;
  std::vector<Probe> probes_;
};

void add_difference(const TensorView& exact, const TensorView& rounded, std::vector<double>& sum) {
  // With one pixel a filter, every physical order is the same.
  const auto count = element_count({exact.dims.begin(), exact.dims.end()});
  FOVEA_CHECK(count % std::ssize(sum) == 0);
  for (std::int64_t i = 0; i < count; ++i)
    sum[static_cast<std::size_t>(i % std::ssize(sum))] +=
        (static_cast<double>(exact.as<float>()[i]) - static_cast<double>(rounded.as<float>()[i])) /
        static_cast<double>(count / std::ssize(sum));
}

}  // namespace

Result<BiasShifts> measure_bias_shifts(const Graph& graph, const Placement& placement, const std::vector<Range>& ranges,
                                       const QuantiseOptions& options, SampleSource& samples, const PassOptions& pass) {
  Graph probed = graph;
  Probes probes(probed, options);
  for (const Placement::Product& product : placement.products) {
    if (graph.node(product.node).op == "MatMul") continue;
    const Placement::Tensor* x = placement.find(product.x);
    const Range range = ranges[static_cast<std::size_t>(x->group)];
    auto status = probes.add(product, activation_parameters(range, options.activations));
    if (!status.ok()) return std::move(status).error().within("node " + graph.node(product.node).name);
  }
  const std::vector<Probes::Probe> probed_layers = probes.probes();
  FOVEA_RETURN_IF_ERROR(std::move(probes).apply(probed));
  std::vector<ValueId> taps;
  BiasShifts shifts;
  for (const auto& probe : probed_layers) {
    taps.insert(taps.end(), {probe.exact, probe.rounded});
    shifts[probe.product.node].resize(static_cast<std::size_t>(probe.product.filters));
  }
  FOVEA_TRY(TappedNetwork network, TappedNetwork::make(probed, taps, pass.engine));
  FOVEA_RETURN_IF_ERROR(samples.restart(0));
  std::int64_t images = 0;
  for (;; ++images) {
    if (pass.stop && pass.stop->load()) return Error(ErrorCode::kInterrupted, "interrupted while measuring biases");
    FOVEA_TRY(const Sample* sample, samples.next());
    if (!sample) break;
    FOVEA_TRY(const std::vector<TensorView> means, network.run(*sample));
    for (std::size_t i = 0; i < probed_layers.size(); ++i)
      add_difference(means[2 * i], means[2 * i + 1], shifts.at(probed_layers[i].product.node));
    if (pass.progress) pass.progress(samples.position(), samples.size());
  }
  if (images == 0) return bad_input("no image to measure biases with could be read");
  for (auto& [node, shift] : shifts)
    for (double& value : shift) value /= static_cast<double>(images);
  return shifts;
}

}  // namespace fovea::quant
