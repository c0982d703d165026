#include <cmath>

#include "ops/conv_attributes.h"
#include "passes/first_layer.h"
#include "passes/pass.h"
#include "passes/rule.h"
#include "passes/scale_weights.h"

namespace fovea::passes {
namespace {

using Inputs = FusedConvInputs;

// What a convolution reads, as scale[c] * pixel + shift[c].
struct PixelChain {
  ValueId pixels = kNoValue;
  std::vector<double> scale, shift;
};

// Puts one more node, nearer to the pixels, under the chain: f(g(x)) for the f so far. False if `node` is no such step.
bool compose(const Match& match, const Node& node, PixelChain& chain, ValueId& next) {
  if (node.op != "Add" && node.op != "Sub" && node.op != "Mul" && node.op != "Div") return false;
  const bool commutes = node.op == "Add" || node.op == "Mul";
  const std::size_t side = commutes && match.constant(node.inputs[0]) ? 1 : 0;
  const Tensor* constant = match.constant(node.inputs[1 - side]);
  if (!constant) return false;
  const auto values = per_channel_values(*constant, std::ssize(chain.scale));
  if (!values) return false;
  for (std::size_t c = 0; c < values->size(); ++c) {
    const double v = (*values)[c];
    if (node.op == "Add") chain.shift[c] += chain.scale[c] * v;
    if (node.op == "Sub") chain.shift[c] -= chain.scale[c] * v;
    if (node.op == "Mul") chain.scale[c] *= v;
    if (node.op == "Div") chain.scale[c] /= v;
  }
  next = node.inputs[side];
  return true;
}

std::optional<PixelChain> find_chain(const Match& match, ValueId value) {
  const Shape& shape = match.graph().value(value).type.shape;
  if (shape.rank() != 4 || !shape[1].is_fixed()) return std::nullopt;
  const auto channels = static_cast<std::size_t>(shape[1].extent());
  PixelChain chain{kNoValue, std::vector<double>(channels, 1), std::vector<double>(channels, 0)};
  constexpr int kMaxNodes = 8;
  for (int nodes = 0; nodes < kMaxNodes; ++nodes) {
    const NodeId id = match.producer_id(value);
    if (id == kNoNode || !match.used_once(value)) return std::nullopt;
    const Node& node = match.node(id);
    if (node.op == "Cast") {
      chain.pixels = node.inputs[0];
      return chain;
    }
    if (!compose(match, node, chain, value)) return std::nullopt;
  }
  return std::nullopt;
}

Result<bool> fold(Match& match, NodeId id) {
  const Node& conv = match.node(id);
  if (conv.op != "FusedConv" || !copies_its_input(match.graph(), conv)) return false;
  if (conv.inputs.size() > Inputs::kChannelScale && conv.inputs[Inputs::kChannelScale] != kNoValue) return false;
  if (match.graph().value(conv.inputs[Inputs::kX]).type.dtype != DType::kF32) return false;
  const auto chain = find_chain(match, conv.inputs[Inputs::kX]);
  if (!chain || match.graph().value(chain->pixels).type.dtype != DType::kU8) return false;
  std::vector<float> mean, scale;
  for (std::size_t c = 0; c < chain->scale.size(); ++c) {
    mean.push_back(static_cast<float>(-chain->shift[c] / chain->scale[c]));
    scale.push_back(static_cast<float>(chain->scale[c]));
    if (!std::isfinite(mean.back()) || !std::isfinite(scale.back())) return false;
  }
  if (!match.claim({id})) return false;
  std::vector<ValueId> inputs = conv.inputs;
  inputs[Inputs::kX] = chain->pixels;
  Attributes attributes = conv.attributes;
  attributes["input_mean"] = std::move(mean);
  attributes["input_scale"] = std::move(scale);
  FOVEA_TRY(const ValueId out,
            add_inferred(match.patch(), "FusedConv", conv.name, std::move(inputs), std::move(attributes)));
  match.patch().redirect(conv.outputs[0], out);
  match.patch().drop(id);
  return true;
}

}  // namespace

// In bf16 the pixels become floats first: conv_first computes in f32.
Status fold_pixel_input(Graph& graph, const PassOptions& options) {
  return options.lower_to_bf16 ? Status() : apply_rule(graph, "fold pixel input", fold);
}

}  // namespace fovea::passes
