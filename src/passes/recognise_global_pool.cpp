#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

// A mean over axes 2 and 3 of an image, keeping them or not.
Result<bool> name_global_pool(Match& match, NodeId id) {
  const Node& mean = match.node(id);
  if (mean.op != "ReduceMean" || mean.inputs.size() != 2) return false;
  const TensorType& in = match.graph().value(mean.inputs[0]).type;
  const Tensor* axes = match.constant(mean.inputs[1]);
  if (in.shape.rank() != 4 || !axes || axes->count() != 2) return false;
  auto wanted = axes->to_int64s();
  for (auto& a : wanted) a = a < 0 ? a + 4 : a;
  if (!((wanted[0] == 2 && wanted[1] == 3) || (wanted[0] == 3 && wanted[1] == 2))) return false;
  FOVEA_TRY(const std::int64_t keep, AttributeReader(mean).integer("keepdims", 1));
  if (!match.claim({id})) return false;
  FOVEA_TRY(ValueId out, add_inferred(match.patch(), "GlobalAveragePool", mean.name, {mean.inputs[0]}));
  if (!keep) {
    FOVEA_TRY(out, add_inferred(match.patch(), "Flatten", mean.name + ".flatten", {out}, {{"axis", std::int64_t{1}}}));
  }
  match.patch().redirect(mean.outputs[0], out);
  match.patch().drop(id);
  return true;
}

}  // namespace

Status recognise_global_pool(Graph& graph, const PassOptions&) {
  return apply_rule(graph, "recognise global pool", name_global_pool);
}

}  // namespace fovea::passes
