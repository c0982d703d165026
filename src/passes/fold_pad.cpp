#include <algorithm>

#include "ops/conv_attributes.h"
#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

// Spatial pads {top, left, bottom, right} of a zero Pad over an image, if that is what the node is.
std::optional<std::vector<std::int64_t>> image_pads(const Match& match, const Node& pad) {
  const auto mode = AttributeReader(pad).text("mode", "constant");
  if (!mode.ok() || *mode != "constant" || pad.inputs.size() < 2 || pad.inputs.size() > 3) return std::nullopt;
  if (pad.inputs.size() == 3 && pad.inputs[2] != kNoValue && match.scalar(pad.inputs[2]) != 0.0f) return std::nullopt;
  const Tensor* pads = match.constant(pad.inputs[1]);
  if (!pads || pads->count() != 8) return std::nullopt;
  const auto p = pads->to_int64s();
  if (p[0] || p[1] || p[4] || p[5] || std::any_of(p.begin(), p.end(), [](auto v) { return v < 0; })) return std::nullopt;
  return std::vector<std::int64_t>{p[2], p[3], p[6], p[7]};
}

Result<bool> fold_into_conv(Match& match, NodeId id) {
  const Node& conv = match.node(id);
  if (conv.op != "Conv") return false;
  const Node* pad = match.producer(conv.inputs[0], "Pad");
  if (!pad || !match.used_once(conv.inputs[0])) return false;
  const auto pads = image_pads(match, *pad);
  const auto auto_pad = AttributeReader(conv).text("auto_pad", "NOTSET");
  if (!pads || !auto_pad.ok() || (*auto_pad != "NOTSET" && *auto_pad != "VALID")) return false;
  FOVEA_TRY(const ConvAttributes geometry,
            read_conv_attributes(conv, match.graph().value(conv.inputs[0]).type.shape,
                                 match.graph().value(conv.inputs[1]).type.shape));
  if (!match.claim({id, match.producer_id(conv.inputs[0])})) return false;
  Attributes attributes = conv.attributes;
  attributes.erase("auto_pad");
  attributes["pads"] = std::vector<std::int64_t>{geometry.pad_top + (*pads)[0], geometry.pad_left + (*pads)[1],
                                                 geometry.pad_bottom + (*pads)[2], geometry.pad_right + (*pads)[3]};
  std::vector<ValueId> inputs = conv.inputs;
  inputs[0] = pad->inputs[0];
  FOVEA_TRY(const ValueId out, add_inferred(match.patch(), "Conv", conv.name, std::move(inputs), std::move(attributes)));
  match.patch().redirect(conv.outputs[0], out);
  match.patch().drop(id);
  match.patch().drop(match.producer_id(conv.inputs[0]));
  return true;
}

}  // namespace

Status fold_pad(Graph& graph, const PassOptions&) { return apply_rule(graph, "fold pad", fold_into_conv); }

}  // namespace fovea::passes
