#include "passes/pass.h"
#include "passes/rule.h"

namespace fovea::passes {
namespace {

// MatMul of a matrix with constant weights, and an Add of a constant row behind it where there is one.
Result<bool> name_gemm(Match& match, NodeId id) {
  const Node& node = match.node(id);
  const bool with_bias = node.op == "Add";
  if (!with_bias && node.op != "MatMul") return false;
  const Node* product = &node;
  ValueId bias = kNoValue;
  NodeId product_id = id;
  if (with_bias) {
    const int side = match.producer(node.inputs[0], "Gemm") ? 0 : 1;
    const ValueId value = node.inputs[static_cast<std::size_t>(side)];
    product = match.producer(value, "Gemm");
    bias = node.inputs[static_cast<std::size_t>(1 - side)];
    if (!product || product->inputs.size() != 2 || !match.used_once(value) || !match.constant(bias)) return false;
    const TensorType& out = match.graph().value(value).type;
    const Tensor& row = *match.constant(bias);
    if (row.rank() > 2 || (row.rank() == 2 && row.dim(0) != 1) || !out.shape[1].is_fixed() ||
        row.count() != out.shape[1].extent())
      return false;
    product_id = match.producer_id(value);
  }
  const TensorType &a = match.graph().value(product->inputs[0]).type, &b = match.graph().value(product->inputs[1]).type;
  if (a.shape.rank() != 2 || b.shape.rank() != 2 || a.dtype != DType::kF32 || !match.constant(product->inputs[1]))
    return false;
  if (!match.claim({id, product_id})) return false;
  std::vector<ValueId> inputs = {product->inputs[0], product->inputs[1]};
  if (with_bias) inputs.push_back(bias);
  FOVEA_TRY(const ValueId out, add_inferred(match.patch(), "Gemm", product->name, std::move(inputs),
                                            with_bias ? product->attributes : Attributes{}));
  match.patch().redirect(node.outputs[0], out);
  match.patch().drop(id);
  if (with_bias) match.patch().drop(product_id);
  return true;
}

}  // namespace

Status recognise_gemm(Graph& graph, const PassOptions&) { return apply_rule(graph, "recognise gemm", name_gemm); }

}  // namespace fovea::passes
