#include "ops/infer.h"

#include <algorithm>

#include "ops/evaluate.h"

namespace fovea {
namespace {

std::string where(const Node& node) { return fmt::format("node {} ({})", node.name, node.op); }

Status check_arity(const Node& node, const OpSpec& op) {
  const int inputs = static_cast<int>(node.inputs.size()), outputs = static_cast<int>(node.outputs.size());
  if (inputs < op.min_inputs || (op.max_inputs >= 0 && inputs > op.max_inputs))
    return bad_input("expected {} inputs, found {}",
                     op.max_inputs < 0               ? fmt::format("at least {}", op.min_inputs)
                     : op.min_inputs == op.max_inputs ? std::to_string(op.min_inputs)
                                                      : fmt::format("{} to {}", op.min_inputs, op.max_inputs),
                     inputs);
  if (outputs < op.min_outputs || (op.max_outputs >= 0 && outputs > op.max_outputs))
    return bad_input("expected at most {} outputs, found {}", op.max_outputs, outputs);
  for (int i = 0; i < op.min_inputs; ++i)
    if (node.inputs[static_cast<std::size_t>(i)] == kNoValue) return bad_input("input {} may not be omitted", i);
  return {};
}

constexpr std::int64_t kFoldElements = 64;  // shape arithmetic works on short vectors

bool is_shape_like(const TensorType& type) {
  if (type.dtype != DType::kS64 && type.dtype != DType::kS32 && type.dtype != DType::kBool && type.dtype != DType::kF32)
    return false;
  const auto dims = type.shape.fixed();
  return dims && dims->size() <= 1 && element_count(*dims) <= kFoldElements;
}

// Types of a whole graph in one sweep, with the elements of shape-like values where they can be known.
class Inference {
 public:
  explicit Inference(const Graph& graph) : graph_(graph), types_(graph.values().size()), known_(graph.values().size()) {
    for (ValueId id = 0; id < static_cast<ValueId>(graph.values().size()); ++id) {
      types_[static_cast<std::size_t>(id)] = graph.value(id).type;
      known_[static_cast<std::size_t>(id)] = graph.value(id).constant;
    }
  }
  void bind(ValueId id, TensorType type) { types_[static_cast<std::size_t>(id)] = std::move(type); }
  const TensorType& type(ValueId id) const { return types_[static_cast<std::size_t>(id)]; }

  Status run(bool keep_claims) {
    for (NodeId id : graph_.topological_order()) FOVEA_RETURN_IF_ERROR(visit(graph_.node(id), keep_claims));
    return {};
  }

 private:
  Status visit(const Node& node, bool keep_claims) {
    std::vector<InferContext::Operand> operands;
    for (ValueId v : node.inputs) {
      if (v == kNoValue)
        operands.emplace_back();
      else
        operands.push_back({type(v), known_[static_cast<std::size_t>(v)].get(), true});
    }
    FOVEA_TRY(const std::vector<TensorType> outputs, infer_node(node, std::move(operands)));
    for (std::size_t i = 0; i < node.outputs.size() && i < outputs.size(); ++i) {
      const ValueId v = node.outputs[i];
      if (v == kNoValue) continue;
      TensorType& slot = types_[static_cast<std::size_t>(v)];
      if (keep_claims && !outputs[i].shape.is_ranked() && slot.dtype == outputs[i].dtype) continue;
      slot = outputs[i];
    }
    fold(node);
    return {};
  }

  // Evaluates shape arithmetic whose operands are known. A failure here is not an error: run() will meet it again with
  // real data, or never.
  void fold(const Node& node) {
    if (node.outputs.size() != 1 || node.outputs[0] == kNoValue || !is_shape_like(type(node.outputs[0]))) return;
    const bool is_shape = node.op == "Shape" && type(node.inputs[0]).shape.is_fixed();
    std::vector<const Tensor*> inputs;
    Tensor stand_in;
    for (ValueId v : node.inputs) {
      const Tensor* known = v == kNoValue ? nullptr : known_[static_cast<std::size_t>(v)].get();
      if (is_shape) {  // Shape reads extents only: hand it a tensor without elements behind it
        stand_in = Tensor::borrow(type(v).dtype, *type(v).shape.fixed(), nullptr, nullptr);
        known = &stand_in;
      }
      if (v != kNoValue && (!known || (!is_shape && known->count() > 4096))) return;
      inputs.push_back(known);
    }
    if (auto result = evaluate_node(node, inputs); result.ok() && result->size() == 1)
      known_[static_cast<std::size_t>(node.outputs[0])] = std::make_shared<const Tensor>(std::move((*result)[0]));
  }

  const Graph& graph_;
  std::vector<TensorType> types_;
  std::vector<std::shared_ptr<const Tensor>> known_;
};

Status commit(Graph& graph, const Inference& inference, const std::string& what) {
  GraphPatch patch(graph, what);
  for (ValueId id = 0; id < static_cast<ValueId>(graph.values().size()); ++id)
    if (!(graph.value(id).type == inference.type(id))) patch.set_type(id, inference.type(id));
  return patch.empty() ? Status() : std::move(patch).apply(graph);
}

}  // namespace

Result<std::vector<TensorType>> infer_node(const Node& node, std::vector<InferContext::Operand> operands) {
  const OpSpec* op = find_op(node.op);
  if (!op) return unsupported("operator {} is not known", node.op).within(where(node));
  if (Status status = check_arity(node, *op); !status.ok()) return std::move(status).error().within(where(node));
  InferContext context(node, std::move(operands));
  if (Status status = op->infer(context); !status.ok()) return std::move(status).error().within(where(node));
  for (const TensorType& type : context.outputs)
    if (const auto dims = type.shape.fixed()) {
      auto count = checked_element_count(*dims);
      if (!count.ok()) return std::move(count).error().within(where(node));
    }
  return std::move(context.outputs);
}

Result<std::vector<TensorType>> infer_for_patch(const GraphPatch& patch, const std::string& op,
                                                const std::vector<ValueId>& inputs, const Attributes& attributes,
                                                int output_count) {
  Node node{patch.what(), op, inputs, std::vector<ValueId>(static_cast<std::size_t>(output_count), 0), attributes, true};
  std::vector<InferContext::Operand> operands;
  for (ValueId v : inputs) {
    if (v == kNoValue)
      operands.emplace_back();
    else
      operands.push_back({patch.type(v), patch.constant(v).get(), true});
  }
  return infer_node(node, std::move(operands));
}

Result<ValueId> add_inferred(GraphPatch& patch, std::string op, std::string name, std::vector<ValueId> inputs,
                             Attributes attributes) {
  FOVEA_TRY(std::vector<TensorType> types, infer_for_patch(patch, op, inputs, attributes));
  return patch.add_node(std::move(op), std::move(name), std::move(inputs), std::move(attributes), {std::move(types[0])})[0];
}

Status infer_graph(Graph& graph) {
  FOVEA_RETURN_IF_ERROR(verify(graph));
  Inference inference(graph);
  FOVEA_RETURN_IF_ERROR(inference.run(true));
  return commit(graph, inference, "infer types");
}

Result<Graph> specialise(const Graph& graph, std::int64_t batch, const std::map<std::string, Dims>& input_dims) {
  FOVEA_RETURN_IF_ERROR(verify(graph));
  Graph bound = graph;
  Inference inference(bound);
  for (const auto& [name, dims] : input_dims)
    if (std::none_of(bound.inputs().begin(), bound.inputs().end(),
                     [&](ValueId id) { return bound.value(id).name == name; }))
      return make_error(ErrorCode::kUsage, "the graph has no input called {}", name);
  for (ValueId id : bound.inputs()) {
    TensorType type = bound.value(id).type;
    const std::string& name = bound.value(id).name;
    if (const auto given = input_dims.find(name); given != input_dims.end()) {
      if (!type.shape.may_equal(Shape(given->second)))
        return bad_input("input {}: the model takes {}, asked for {}", name, type.shape.text(), to_string(given->second));
      type.shape = Shape(given->second);
    } else if (type.shape.is_ranked() && type.shape.rank() > 0 && !type.shape[0].is_fixed()) {
      type.shape[0] = Dim(batch);
    }
    const auto dims = type.shape.fixed();
    if (!dims) return bad_input("input {}: its shape {} is open; give its extents", name, type.shape.text());
    FOVEA_TRY([[maybe_unused]] const std::int64_t count, checked_element_count(*dims));
    inference.bind(id, std::move(type));
  }
  FOVEA_RETURN_IF_ERROR(inference.run(false));
  FOVEA_RETURN_IF_ERROR(commit(bound, inference, "bind input shapes"));
  return bound;
}

std::vector<InferContext::Operand> operands_of(const Graph& graph, const Node& node) {
  std::vector<InferContext::Operand> operands;
  for (ValueId v : node.inputs) {
    if (v == kNoValue)
      operands.emplace_back();
    else
      operands.push_back({graph.value(v).type, graph.value(v).constant.get(), true});
  }
  return operands;
}

InferContext infer_context(const Graph& graph, const Node& node) {
  InferContext context(node, operands_of(graph, node));
  for (ValueId v : node.outputs) context.outputs.push_back(v == kNoValue ? TensorType{} : graph.value(v).type);
  return context;
}

Cost node_cost(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  const OpSpec* op = find_op(node.op);
  const auto bytes = [](const TensorType& type) {
    double n = static_cast<double>(size_of(type.dtype));
    for (const Dim& d : type.shape.dims()) n *= d.is_fixed() ? static_cast<double>(d.extent()) : 1.0;
    return type.shape.is_ranked() ? n : 0.0;
  };
  Cost cost;
  for (ValueId v : node.inputs)
    if (v != kNoValue) cost.bytes_read += bytes(graph.value(v).type);
  for (ValueId v : node.outputs)
    if (v != kNoValue) cost.bytes_written += bytes(graph.value(v).type);
  if (op && op->macs) cost.macs = op->macs(infer_context(graph, node));
  return cost;
}

}  // namespace fovea
