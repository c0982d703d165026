#include "quant/tapped_network.h"

#include "graph/patch.h"
#include "quant/extremes.h"

namespace fovea::quant {
namespace {

std::span<const float> elements(const TensorView& view) {
  return {static_cast<const float*>(view.data),
          static_cast<std::size_t>(element_count({view.dims.begin(), view.dims.end()}))};
}

}  // namespace

TappedNetwork::TappedNetwork(std::shared_ptr<const Plan> plan, int threads) {
  for (const PlanPort& port : plan->outputs) outputs_.emplace_back(port.dtype, port.dims, port.layout);
  // No spinning between runs: whoever prepares the samples wants the cores.
  session_ =
      std::make_unique<Session>(std::move(plan), std::make_shared<ThreadPool>(ThreadPoolOptions{threads, true, {}, 0}));
}

Result<TappedNetwork> TappedNetwork::make(const Graph& graph, std::span<const ValueId> taps,
                                          const EngineOptions& options) {
  if (graph.inputs().size() != 1)
    return unsupported("calibration needs a network of one input, this one has {}", graph.inputs().size());
  Graph tapped = graph;
  GraphPatch patch(tapped, "tap tensors");
  const int own = static_cast<int>(graph.outputs().size());
  std::vector<int> ports;
  std::vector<std::string> names;
  int next = own;
  for (ValueId v : taps) {
    const NodeId producer = graph.value(v).producer;
    names.push_back(producer == kNoNode ? "input " + graph.value(v).name : "node " + graph.node(producer).name);
    if (v == graph.inputs()[0]) {
      ports.push_back(-1);
      continue;
    }
    patch.tap(fmt::format("tap {}", names.size()), v);
    ports.push_back(next++);
  }
  for (int i = 0; i < own; ++i) {
    ports.push_back(i);
    names.push_back("output " + graph.outputs()[static_cast<std::size_t>(i)].name);
  }
  if (!patch.empty()) FOVEA_RETURN_IF_ERROR(std::move(patch).apply(tapped));
  CompileOptions compile_options;
  compile_options.precision = options.precision;
  compile_options.input_layout = options.input_layout;
  compile_options.plan.threads = options.threads;
  FOVEA_TRY(auto plan, compile(tapped, compile_options));
  TappedNetwork network(std::move(plan), options.threads);
  network.names_ = std::move(names);
  network.ports_ = std::move(ports);
  return network;
}

Result<std::vector<TensorView>> TappedNetwork::run(const Sample& sample) {
  std::vector<TensorView> outputs, results;
  for (Tensor& t : outputs_) outputs.push_back(std::as_const(t).view());
  auto status = session_->run({&sample.data, 1}, outputs);
  if (!status.ok()) return std::move(status).error().within("image " + sample.name);
  for (std::size_t i = 0; i < ports_.size(); ++i) {
    results.push_back(ports_[i] < 0 ? sample.data : outputs[static_cast<std::size_t>(ports_[i])]);
    if (results[i].dtype != DType::kF32) continue;
    if (const auto at = first_non_finite(elements(results[i])))
      return bad_input("image {}: {} computes {}", sample.name, names_[i], elements(results[i])[*at]);
  }
  return results;
}

}  // namespace fovea::quant
