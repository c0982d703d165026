#include "quant/sensitivity.h"

#include <algorithm>

#include "quant/sqnr.h"

namespace fovea::quant {
namespace {

// The first output for every sample, one after another.
Result<std::vector<float>> answers(const Graph& graph, SampleSource& samples, const PassOptions& pass) {
  FOVEA_TRY(TappedNetwork network, TappedNetwork::make(graph, {}, pass.engine));
  FOVEA_RETURN_IF_ERROR(samples.restart(0));
  std::vector<float> out;
  for (;;) {
    if (pass.stop && pass.stop->load()) return Error(ErrorCode::kInterrupted, "interrupted while ranking layers");
    FOVEA_TRY(const Sample* sample, samples.next());
    if (!sample) return out;
    FOVEA_TRY(const std::vector<TensorView> outputs, network.run(*sample));
    const float* first = outputs[0].as<float>();
    out.insert(out.end(), first, first + element_count({outputs[0].dims.begin(), outputs[0].dims.end()}));
  }
}

double sqnr_of(const std::vector<float>& exact, const std::vector<float>& rounded) {
  double signal = 0, error = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    const double x = exact[i], difference = x - static_cast<double>(rounded[i]);
    signal += x * x;
    error += difference * difference;
  }
  return sqnr_db(signal, error);
}

}  // namespace

Result<std::vector<LayerSensitivity>> measure_sensitivity(const Graph& graph, const Placement& placement,
                                                          const std::vector<Range>& ranges,
                                                          const QuantiseOptions& options, SampleSource& samples,
                                                          const PassOptions& pass) {
  if (graph.outputs().empty() || graph.value(graph.outputs()[0].value).type.dtype != DType::kF32)
    return unsupported("ranking layers needs a network whose first output is f32");
  FOVEA_TRY(const std::vector<float> exact, answers(graph, samples, pass));
  std::vector<LayerSensitivity> out;
  const std::int64_t passes = std::ssize(placement.products) + 1;
  for (const Placement::Product& product : placement.products) {
    Placement alone;
    alone.tensors = {*placement.find(product.x)};
    alone.products = {product};
    alone.groups = placement.groups;
    FOVEA_TRY(const QuantisedNetwork network, quantise(graph, alone, ranges, options));
    FOVEA_TRY(const std::vector<float> rounded, answers(network.graph, samples, pass));
    out.push_back({product.node, graph.node(product.node).name, sqnr_of(exact, rounded)});
    if (pass.progress) pass.progress(std::ssize(out) + 1, passes);
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.sqnr_db < b.sqnr_db; });
  return out;
}

}  // namespace fovea::quant
