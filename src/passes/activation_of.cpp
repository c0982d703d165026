#include "passes/activation_of.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace fovea::passes {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// A bound of Clip: the constant, `open` if omitted, nothing if it is not constant.
std::optional<float> bound(const Graph& graph, const Node& clip, std::size_t input, float open) {
  if (clip.inputs.size() <= input || clip.inputs[input] == kNoValue) return open;
  return constant_scalar(graph, clip.inputs[input]);
}

}  // namespace

std::optional<float> constant_scalar(const Graph& graph, ValueId value) {
  const Tensor* t = value == kNoValue ? nullptr : graph.value(value).constant.get();
  if (!t || t->count() != 1 || !is_float(t->dtype())) return std::nullopt;
  return t->to_floats()[0];
}

Result<std::optional<Activation>> activation_of(const Graph& graph, const Node& node) {
  using Kind = ActivationKind;
  const AttributeReader attributes(node);
  if (node.op == "Relu") return std::optional(Activation{Kind::kRelu, 0, 0});
  if (node.op == "Sigmoid") return std::optional(Activation{Kind::kSigmoid, 0, 0});
  if (node.op == "Tanh") return std::optional(Activation{Kind::kTanh, 0, 0});
  if (node.op == "HardSwish") return std::optional(Activation{Kind::kHardSwish, 0, 0});
  if (node.op == "LeakyRelu") {
    FOVEA_TRY(const float alpha, attributes.real("alpha", 0.01f));
    return std::optional(Activation{Kind::kLeakyRelu, alpha, 0});
  }
  if (node.op == "HardSigmoid") {
    FOVEA_TRY(const float alpha, attributes.real("alpha", 0.2f));
    FOVEA_TRY(const float beta, attributes.real("beta", 0.5f));
    return std::optional(Activation{Kind::kHardSigmoid, alpha, beta});
  }
  if (node.op == "Clip") {
    const auto low = bound(graph, node, 1, -kInfinity), high = bound(graph, node, 2, kInfinity);
    // Where the bounds cross, the upper one wins.
    if (low && high && !std::isnan(*low) && !std::isnan(*high))
      return std::optional(Activation{Kind::kClip, std::min(*low, *high), *high});
  }
  return std::optional<Activation>();
}

}  // namespace fovea::passes
