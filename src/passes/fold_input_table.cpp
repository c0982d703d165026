#include "ops/fused_qconv.h"
#include "passes/first_layer.h"
#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

using Inputs = FusedQConvInputs;

Result<bool> fold(Match& match, NodeId id) {
  const Node& conv = match.node(id);
  if (conv.op != "FusedQConv" || conv.inputs.size() > Inputs::kInputTable) return false;
  const Node* lookup = match.producer(conv.inputs[Inputs::kX], "FusedLookup");
  const NodeId lookup_id = match.producer_id(conv.inputs[Inputs::kX]);
  if (!lookup || !match.used_once(conv.inputs[Inputs::kX]) || !copies_its_input(match.graph(), conv)) return false;
  const Tensor* table = match.constant(lookup->inputs[1]);
  if (!table || table->rank() != 2 || !match.claim({id, lookup_id})) return false;
  std::vector<ValueId> inputs = conv.inputs;
  inputs.resize(Inputs::kInputTable + 1, kNoValue);
  inputs[Inputs::kX] = lookup->inputs[0];
  inputs[Inputs::kInputTable] = lookup->inputs[1];
  FOVEA_TRY(const ValueId out,
            add_inferred(match.patch(), "FusedQConv", conv.name, std::move(inputs), conv.attributes));
  match.patch().redirect(conv.outputs[0], out);
  match.patch().drop(id);
  match.patch().drop(lookup_id);
  return true;
}

}  // namespace

Status fold_input_table(Graph& graph, const PassOptions&) { return apply_rule(graph, "fold input table", fold); }

}  // namespace fovea::passes
