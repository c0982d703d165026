#include "quant/compare.h"

#include <algorithm>
#include <cmath>

#include "quant/sqnr.h"

namespace fovea::quant {
namespace {

using Named = std::map<std::string, ValueId>;

// Tensors of a quantised network: what a DequantizeLinear makes of a QuantizeLinear, by the name before both.
Named tensors_in_8_bits(const Graph& graph) {
  Named out;
  for (const Node& node : graph.nodes()) {
    if (!node.alive || node.op != "DequantizeLinear") continue;
    const NodeId source = graph.value(node.inputs[0]).producer;
    if (source == kNoNode || graph.node(source).op != "QuantizeLinear") continue;
    out.emplace(graph.value(graph.node(source).inputs[0]).name, node.outputs[0]);
  }
  return out;
}

Named tensors_in_floats(const Graph& graph) {
  Named out;
  for (ValueId v : graph.inputs()) out.emplace(graph.value(v).name, v);
  for (const Node& node : graph.nodes()) {
    if (!node.alive) continue;
    for (ValueId v : node.outputs)
      if (v != kNoValue && graph.value(v).type.dtype == DType::kF32) out.emplace(graph.value(v).name, v);
  }
  return out;
}

struct Pairs {
  std::vector<std::string> names;
  std::vector<ValueId> first, second;
};

// In the order of the first graph.
Result<Pairs> match(const Graph& first, const Graph& second) {
  const bool first_quantised = is_quantised(first), second_quantised = is_quantised(second);
  const Named a = first_quantised ? tensors_in_8_bits(first) : tensors_in_floats(first);
  Named b = second_quantised ? tensors_in_8_bits(second) : tensors_in_floats(second);
  if (!first_quantised && !second_quantised) {
    FOVEA_TRY(const Placement placement, place_quantisation(first));
    Named wanted;
    for (const Placement::Tensor& t : placement.tensors) {
      const auto found = b.find(first.value(t.value).name);
      if (found != b.end()) wanted.insert(*found);
    }
    b = std::move(wanted);
  }
  std::map<ValueId, std::string> names;
  for (const auto& [name, value] : a)
    if (b.count(name)) names[value] = name;
  Pairs out;
  const auto take = [&](ValueId v) {
    const auto name = names.find(v);
    if (name == names.end() || !(first.value(v).type.shape == second.value(b.at(name->second)).type.shape)) return;
    out.names.push_back(name->second);
    out.first.push_back(v);
    out.second.push_back(b.at(name->second));
  };
  for (ValueId v : first.inputs()) take(v);
  for (NodeId id : first.topological_order())
    for (ValueId v : first.node(id).outputs) take(v);
  return out;
}

Status check_ports(const Graph& first, const Graph& second) {
  if (first.inputs().size() != 1 || second.inputs().size() != 1)
    return unsupported("expected networks of one input, found {} and {}", first.inputs().size(),
                       second.inputs().size());
  const TensorType &a = first.value(first.inputs()[0]).type, &b = second.value(second.inputs()[0]).type;
  if (a.dtype != b.dtype || !a.shape.may_equal(b.shape))
    return bad_input("the networks take different inputs: {} and {}", a.text(), b.text());
  if (first.outputs().size() != second.outputs().size())
    return bad_input("the networks have {} and {} outputs", first.outputs().size(), second.outputs().size());
  return {};
}

std::int64_t count_of(const TensorView& view) { return element_count({view.dims.begin(), view.dims.end()}); }

class Sums {
 public:
  Status add(const TensorView& a, const TensorView& b) {
    if (a.dtype != DType::kF32 || b.dtype != DType::kF32 || !std::ranges::equal(a.dims, b.dims))
      return bad_input("the networks disagree about its type");
    const float* other = b.as<float>();
    if (a.layout != b.layout) {
      reordered_.resize(static_cast<std::size_t>(count_of(b)));
      reorder(b.data, b.layout, reordered_.data(), a.layout, b.dims, sizeof(float));
      other = reordered_.data();
    }
    const float* one = a.as<float>();
    for (std::int64_t i = 0; i < count_of(a); ++i) {
      const double x = one[i], difference = x - static_cast<double>(other[i]);
      signal_ += x * x;
      error_ += difference * difference;
      max_error_ = std::max(max_error_, std::abs(difference));
    }
    elements_ += count_of(a);
    return {};
  }
  TensorComparison result(std::string name) const {
    return {std::move(name), sqnr_db(signal_, error_), max_error_,
            elements_ ? std::sqrt(signal_ / static_cast<double>(elements_)) : 0.0};
  }

 private:
  double signal_ = 0, error_ = 0, max_error_ = 0;
  std::int64_t elements_ = 0;
  std::vector<float> reordered_;
};

std::span<const float> elements(const TensorView& view) {
  return {view.as<float>(), static_cast<std::size_t>(count_of(view))};
}

}  // namespace

Result<Comparison> compare(const Graph& first, const Graph& second, SampleSource& samples,
                           const CompareOptions& options) {
  FOVEA_RETURN_IF_ERROR(check_ports(first, second));
  FOVEA_TRY(Pairs pairs, match(first, second));
  FOVEA_TRY(TappedNetwork one, TappedNetwork::make(first, pairs.first, options.first));
  FOVEA_TRY(TappedNetwork other, TappedNetwork::make(second, pairs.second, options.second));
  const std::size_t taps = pairs.names.size();
  for (const GraphOutput& output : first.outputs()) pairs.names.push_back(output.name);
  std::vector<Sums> sums(pairs.names.size());
  Comparison out;
  FOVEA_RETURN_IF_ERROR(samples.restart(0));
  for (;; ++out.images) {
    if (options.stop && options.stop->load())
      return Error(ErrorCode::kInterrupted, fmt::format("interrupted after {} images", out.images));
    FOVEA_TRY(const Sample* sample, samples.next());
    if (!sample) break;
    FOVEA_TRY(const std::vector<TensorView> a, one.run(*sample));
    FOVEA_TRY(const std::vector<TensorView> b, other.run(*sample));
    for (std::size_t i = 0; i < sums.size(); ++i) {
      auto status = sums[i].add(a[i], b[i]);
      if (!status.ok()) return std::move(status).error().within("tensor " + pairs.names[i]);
    }
    if (options.answers) options.answers(*sample, elements(a[taps]), elements(b[taps]));
    if (options.progress) options.progress(samples.position(), samples.size());
  }
  if (out.images == 0) return bad_input("no image to compare with could be read");
  for (std::size_t i = 0; i < sums.size(); ++i) out.tensors.push_back(sums[i].result(pairs.names[i]));
  return out;
}

}  // namespace fovea::quant
