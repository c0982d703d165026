// Constants, placeholders, and nodes that hand an operand on: Identity, and Switch and Merge of constant predicates.
#include "import/tensorflow/node_context.h"
#include "import/wire/names.h"

namespace fovea::tensorflow_import {

Status map_const(NodeContext& node) {
  tf::TensorValue* value = node.attributes.tensor("value");
  if (!value) return bad_input("attribute value: expected a tensor, found nothing");
  auto decoded = node.store.tensors.decode(*value);
  if (!decoded.ok()) return std::move(decoded).error().within("attribute value");
  return node.give(Held{.constant = std::make_shared<const Tensor>(std::move(decoded).value())});
}

// What is no input of the graph is a switch between training and inference: its default, or false.
Status map_placeholder(NodeContext& node) {
  if (node.op == "PlaceholderWithDefault") return node.give_input(0);
  const tf::TensorShape* shape = node.attributes.shape("shape");
  if (shape && shape->dim_size() > 0)
    return unsupported("a boolean input of {} dimensions: only scalars, which are taken as false", shape->dim_size());
  return node.give(Held{.constant = std::make_shared<const Tensor>(Tensor::scalar<bool>(false))});
}

Status map_identity(NodeContext& node) { return node.give_input(0); }

Status map_identity_n(NodeContext& node) {
  for (int i = 0; i < node.input_count(); ++i) FOVEA_RETURN_IF_ERROR(node.give_input(i, i));
  return {};
}

Status map_switch(NodeContext& node) {
  FOVEA_TRY(const Tensor* const predicate, node.constant(1, "predicate"));
  if (predicate->dtype() != DType::kBool || predicate->count() != 1)
    return bad_input("input 1 (predicate): expected one boolean, found {}", predicate->type().text());
  const int taken = predicate->as<bool>()[0] ? 1 : 0;
  FOVEA_RETURN_IF_ERROR(node.give_input(0, taken));
  return node.give(Held{.dead = true}, 1 - taken);
}

// Called with one dead input at least, or with none that is alive.
Status map_merge(NodeContext& node) {
  int alive = -1;
  for (int i = 0; i < node.input_count(); ++i) {
    if (node.input(i).dead) continue;
    if (alive >= 0) return unsupported("inputs {} and {} both reach it: only branches with one known side", alive, i);
    alive = i;
  }
  if (alive < 0) {
    FOVEA_RETURN_IF_ERROR(node.give(Held{.dead = true}, 0));
    return node.give(Held{.dead = true}, 1);
  }
  FOVEA_RETURN_IF_ERROR(node.give_input(alive));
  return node.give(Held{.constant = std::make_shared<const Tensor>(Tensor::scalar<std::int32_t>(alive))}, 1);
}

}  // namespace fovea::tensorflow_import
