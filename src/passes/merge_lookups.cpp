#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

// A table behind a table is a table; the first may be one a channel.
Result<bool> merge(Match& match, NodeId id) {
  const Node& node = match.node(id);
  if (node.op != "FusedLookup") return false;
  const Node* first = match.producer(node.inputs[0], "FusedLookup");
  const NodeId first_id = match.producer_id(node.inputs[0]);
  if (!first || !match.used_once(node.inputs[0]) || !match.constant(first->inputs[1]) ||
      !match.constant(node.inputs[1]) || match.constant(node.inputs[1])->rank() != 1 || !match.claim({id, first_id}))
    return false;
  const auto inner = match.constant(first->inputs[1])->as<std::uint8_t>();
  const auto outer = match.constant(node.inputs[1])->as<std::uint8_t>();
  Tensor table(DType::kU8, match.constant(first->inputs[1])->dims());
  for (std::size_t i = 0; i < inner.size(); ++i) table.as<std::uint8_t>()[i] = outer[inner[i]];
  const ValueId values = match.patch().add_constant(node.name + ".merged", std::move(table));
  FOVEA_TRY(const ValueId out, add_inferred(match.patch(), "FusedLookup", node.name, {first->inputs[0], values}));
  match.patch().redirect(node.outputs[0], out);
  match.patch().drop(id);
  match.patch().drop(first_id);
  return true;
}

}  // namespace

Status merge_lookups(Graph& graph, const PassOptions&) { return apply_rule(graph, "merge lookups", merge); }

}  // namespace fovea::passes
