#include "quant/equalise.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "graph/patch.h"
#include "ops/conv_attributes.h"
#include "passes/activation_of.h"

namespace fovea::quant {
namespace {

constexpr int kSweeps = 20;
constexpr double kSettled = 1e-3;  // largest relative change of a sweep

// Weights of one convolution while they are being changed.
struct Filters {
  std::vector<double> weights, bias;                           // bias empty if there is none
  std::int64_t filters = 0, inputs = 0, taps = 0, groups = 1;  // inputs: channels a filter reads
  bool changed = false;

  double& at(std::int64_t filter, std::int64_t input, std::int64_t tap) {
    return weights[static_cast<std::size_t>((filter * inputs + input) * taps + tap)];
  }
};

struct Pair {
  NodeId first = kNoNode, second = kNoNode;
  float bound = std::numeric_limits<float>::infinity();
  std::vector<double> largest;  // of each channel between them; empty if unbounded
  bool changed = false;
};

const Tensor* float_constant(const Graph& graph, const Node& node, std::size_t i) {
  if (i >= node.inputs.size() || node.inputs[i] == kNoValue) return nullptr;
  const Tensor* t = graph.value(node.inputs[i]).constant.get();
  return t && t->dtype() == DType::kF32 ? t : nullptr;
}

bool is_plain_conv(const Graph& graph, const Node& node) {
  if (node.op != "Conv" || !float_constant(graph, node, 1)) return false;
  const bool has_bias = node.inputs.size() > 2 && node.inputs[2] != kNoValue;
  return !has_bias || float_constant(graph, node, 2);
}

Filters read_filters(const Graph& graph, const Node& node) {
  const Tensor& w = *float_constant(graph, node, 1);
  Filters out;
  out.weights.assign(w.as<float>().begin(), w.as<float>().end());
  if (const Tensor* bias = float_constant(graph, node, 2))
    out.bias.assign(bias->as<float>().begin(), bias->as<float>().end());
  out.filters = w.dim(0);
  out.inputs = w.dim(1);
  out.taps = w.count() / std::max<std::int64_t>(1, out.filters * out.inputs);
  const auto group = AttributeReader(node).integer("group", 1);
  out.groups = group.ok() ? *group : 1;
  return out;
}

// Calls f with every weight that reads channel `channel`.
template <class F>
void for_each_reader(Filters& f, std::int64_t channel, F&& body) {
  const std::int64_t group = channel / f.inputs, per_group = f.filters / f.groups;
  for (std::int64_t o = group * per_group; o < (group + 1) * per_group; ++o)
    for (std::int64_t t = 0; t < f.taps; ++t) body(f.at(o, channel % f.inputs, t));
}

template <class F>
void for_each_maker(Filters& f, std::int64_t channel, F&& body) {
  for (std::int64_t i = 0; i < f.inputs; ++i)
    for (std::int64_t t = 0; t < f.taps; ++t) body(f.at(channel, i, t));
}

class Equalising {
 public:
  Equalising(const Graph& graph, const ChannelMaxima& maxima) : graph_(graph), uses_(graph.uses()) {
    for (NodeId id : graph.topological_order()) find_pair(id, maxima);
  }

  int run() {
    double largest_change = 1;
    for (int sweep = 0; sweep < kSweeps && largest_change > kSettled; ++sweep) {
      largest_change = 0;
      for (Pair& pair : pairs_) largest_change = std::max(largest_change, balance(pair));
    }
    return static_cast<int>(std::count_if(pairs_.begin(), pairs_.end(), [](const Pair& p) { return p.changed; }));
  }

  Status write(Graph& graph) const {
    GraphPatch patch(graph, "equalise");
    for (const auto& [id, f] : filters_) {
      if (!f.changed) continue;
      const Node& node = graph.node(id);
      const auto replace = [&](int input, const std::vector<double>& values, const char* what) {
        const Tensor& old = *float_constant(graph, node, static_cast<std::size_t>(input));
        Tensor t(DType::kF32, old.dims());
        std::transform(values.begin(), values.end(), t.as<float>().begin(),
                       [](double v) { return static_cast<float>(v); });
        patch.set_input(id, input, patch.add_constant(node.name + what, std::move(t)));
      };
      replace(1, f.weights, "_equalised_weight");
      if (!f.bias.empty()) replace(2, f.bias, "_equalised_bias");
    }
    return patch.empty() ? Status() : std::move(patch).apply(graph);
  }

 private:
  NodeId only_user(ValueId v) const {
    const auto& users = uses_[static_cast<std::size_t>(v)];
    return users.size() == 1 && !graph_.is_output(v) && users[0].input == 0 ? users[0].node : kNoNode;
  }

  void find_pair(NodeId id, const ChannelMaxima& maxima) {
    const Node& conv = graph_.node(id);
    if (!is_plain_conv(graph_, conv)) return;
    Pair pair{id, only_user(conv.outputs[0]), std::numeric_limits<float>::infinity(), {}, false};
    if (pair.second == kNoNode) return;
    if (const Node& between = graph_.node(pair.second); between.op != "Conv") {
      const auto activation = passes::activation_of(graph_, between);
      if (!activation.ok() || !*activation) return;
      const ActivationKind kind = (*activation)->kind;
      if (kind == ActivationKind::kClip) {
        if ((*activation)->a != 0) return;
        pair.bound = (*activation)->b;
        const auto known = maxima.find(between.outputs[0]);
        if (known == maxima.end()) return;
        pair.largest.assign(known->second.begin(), known->second.end());
      } else if (kind != ActivationKind::kRelu && kind != ActivationKind::kLeakyRelu) {
        return;
      }
      pair.second = only_user(between.outputs[0]);
    }
    if (pair.second == kNoNode || !is_plain_conv(graph_, graph_.node(pair.second))) return;
    for (NodeId end : {pair.first, pair.second})
      if (!filters_.count(end)) filters_[end] = read_filters(graph_, graph_.node(end));
    const Filters &first = filters_[pair.first], &second = filters_[pair.second];
    if (second.inputs * second.groups != first.filters) return;
    if (!pair.largest.empty() && std::ssize(pair.largest) != first.filters) return;
    pairs_.push_back(std::move(pair));
  }

  // Returns the largest relative change of a channel.
  double balance(Pair& pair) {
    Filters &first = filters_.at(pair.first), &second = filters_.at(pair.second);
    double largest_change = 0;
    for (std::int64_t c = 0; c < first.filters; ++c) {
      double made = 0, read = 0;
      for_each_maker(first, c, [&](double w) { made = std::max(made, std::abs(w)); });
      for_each_reader(second, c, [&](double w) { read = std::max(read, std::abs(w)); });
      if (made <= 0 || read <= 0) continue;
      double s = std::sqrt(made / read);
      if (!pair.largest.empty()) {
        double& reached = pair.largest[static_cast<std::size_t>(c)];
        if (reached >= static_cast<double>(pair.bound)) continue;
        s = std::max(s, reached / (kClipMargin * static_cast<double>(pair.bound)));
        reached /= s;
      }
      if (!std::isnormal(s) || std::abs(s - 1) < 1e-6) continue;
      for_each_maker(first, c, [&](double& w) { w /= s; });
      if (!first.bias.empty()) first.bias[static_cast<std::size_t>(c)] /= s;
      for_each_reader(second, c, [&](double& w) { w *= s; });
      first.changed = second.changed = pair.changed = true;
      largest_change = std::max(largest_change, std::abs(s - 1));
    }
    return largest_change;
  }

  // A channel stays this far below the bound of its Clip.
  static constexpr double kClipMargin = 0.95;

  const Graph& graph_;
  std::vector<std::vector<Graph::Use>> uses_;
  std::map<NodeId, Filters> filters_;
  std::vector<Pair> pairs_;
};

void raise_maxima(const TensorView& t, std::vector<float>& maxima) {
  const std::int64_t channels = t.dims[1], pixels = t.dims[2] * t.dims[3], images = t.dims[0];
  const bool last = t.layout == Layout::kChannelsLast;
  for (std::int64_t n = 0; n < images; ++n)
    for (std::int64_t c = 0; c < channels; ++c)
      for (std::int64_t p = 0; p < pixels; ++p) {
        const std::int64_t at = last ? (n * pixels + p) * channels + c : (n * channels + c) * pixels + p;
        float& most = maxima[static_cast<std::size_t>(c)];
        most = std::max(most, t.as<float>()[at]);
      }
}

}  // namespace

std::vector<ValueId> bounded_tensors(const Graph& graph) {
  std::vector<ValueId> out;
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (node.op != "Clip" || graph.value(node.outputs[0]).type.shape.rank() != 4) continue;
    const NodeId source = graph.value(node.inputs[0]).producer;
    if (source != kNoNode && graph.node(source).op == "Conv") out.push_back(node.outputs[0]);
  }
  return out;
}

Result<ChannelMaxima> measure_channel_maxima(const Graph& graph, const std::vector<ValueId>& tensors,
                                             SampleSource& samples, const PassOptions& pass) {
  ChannelMaxima maxima;
  if (tensors.empty()) return maxima;
  FOVEA_TRY(TappedNetwork network, TappedNetwork::make(graph, tensors, pass.engine));
  FOVEA_RETURN_IF_ERROR(samples.restart(0));
  for (;;) {
    if (pass.stop && pass.stop->load()) return Error(ErrorCode::kInterrupted, "interrupted while measuring channels");
    FOVEA_TRY(const Sample* sample, samples.next());
    if (!sample) return maxima;
    FOVEA_TRY(const std::vector<TensorView> views, network.run(*sample));
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      auto& of_tensor = maxima[tensors[i]];
      of_tensor.resize(static_cast<std::size_t>(views[i].dims[1]));
      raise_maxima(views[i], of_tensor);
    }
    if (pass.progress) pass.progress(samples.position(), samples.size());
  }
}

Result<int> equalise(Graph& graph, const ChannelMaxima& maxima) {
  Equalising work(graph, maxima);
  const int pairs = work.run();
  FOVEA_RETURN_IF_ERROR(work.write(graph));
  return pairs;
}

}  // namespace fovea::quant
