#include "mlperf/calibration.h"

#include <algorithm>
#include <cmath>

#include "graph/patch.h"
#include "passes/pass.h"
#include "quant/original_names.h"

namespace fovea::mlperf {
namespace {

constexpr const char* kHeader = "TRT-7203-EntropyCalibration2";

bool is_quantize(const Node& node) { return node.alive && node.op == "QuantizeLinear" && node.inputs.size() >= 2; }

// Range = ±127 times the result.
std::optional<float> symmetric_scale(const Graph& graph, const Node& node) {
  const Value& scale = graph.value(node.inputs[1]);
  if (!scale.is_constant() || scale.constant->to_floats().size() != 1) return {};
  const float s = scale.constant->to_floats()[0];
  const bool has_zero_point = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  const Value* zero = has_zero_point ? &graph.value(node.inputs[2]) : nullptr;
  if (zero != nullptr && !zero->is_constant()) return {};
  const float z = zero != nullptr ? zero->constant->to_floats()[0] : 0;
  const bool is_signed = zero != nullptr && zero->constant->dtype() == DType::kS8;
  if (is_signed && z == 0) return s;
  const float low = is_signed ? -128 : 0, high = is_signed ? 127 : 255;
  return s * std::max(std::abs(low - z), std::abs(high - z)) / 127;
}

Result<BenchmarkCalibration> scales_of(const Graph& graph) {
  BenchmarkCalibration result;
  result.cache.header = kHeader;
  for (const Node& node : graph.nodes()) {
    if (!is_quantize(node) || graph.value(node.inputs[0]).is_constant()) continue;
    if (const auto scale = symmetric_scale(graph, node); scale && std::isfinite(*scale) && *scale >= 0)
      result.cache.scales[graph.value(node.inputs[0]).name] = *scale;
  }
  if (result.cache.scales.empty())
    return unsupported("no tensor of the prequantised network has a single constant scale");
  return result;
}

}  // namespace

bool is_prequantised(const Graph& graph) { return std::ranges::any_of(graph.nodes(), is_quantize); }

Result<bool> remove_final_softmax(Graph& graph) {
  GraphPatch patch(graph, "remove the final softmax");
  for (const GraphOutput& output : graph.outputs()) {
    const NodeId producer = graph.value(output.value).producer;
    if (producer == kNoNode || graph.node(producer).op != "Softmax") continue;
    patch.redirect(output.value, graph.node(producer).inputs[0]);
    patch.drop(producer);
  }
  if (patch.empty()) return false;
  FOVEA_RETURN_IF_ERROR(std::move(patch).apply(graph));
  return true;
}

Result<BenchmarkCalibration> calibrate_benchmark(const Graph& graph, quant::SampleSource* samples,
                                                 const quant::CalibrationOptions& options, bool correct_biases) {
  if (is_prequantised(graph)) return scales_of(graph);
  FOVEA_CHECK(samples != nullptr);
  BenchmarkCalibration result;
  Graph portable = graph;
  FOVEA_TRY(result.softmax_removed, remove_final_softmax(portable));
  const Graph original = portable;
  FOVEA_RETURN_IF_ERROR(run_passes(portable, Stage::kPortable, {}));
  FOVEA_TRY(const quant::Placement placement, quant::place_quantisation(portable));
  if (placement.products.empty())
    return unsupported("no convolution or matrix product with constant weights to quantise");
  FOVEA_TRY(const quant::Calibration calibration, quant::calibrate(portable, placement, *samples, options));
  result.images = calibration.images;
  result.notice = calibration.notice;
  FOVEA_TRY(const auto ranges, quant::group_ranges(portable, placement, calibration.ranges));
  quant::QuantiseOptions quantise;
  quantise.activations = quant::ActivationType::kS8;
  quantise.weights.per_channel = false;
  quant::BiasShifts shifts;
  if (correct_biases) {
    const quant::PassOptions pass{options.engine, options.stop, options.progress};
    FOVEA_TRY(shifts, quant::measure_bias_shifts(portable, placement, ranges, quantise, *samples, pass));
    result.biases_corrected = true;
  }
  FOVEA_TRY(result.network, quant::quantise(portable, placement, ranges, quantise, shifts));
  result.cache = quant::cache_of(quant::tensor_ranges(portable, placement, ranges),
                                 quant::original_names(original, portable), kHeader);
  return result;
}

}  // namespace fovea::mlperf
