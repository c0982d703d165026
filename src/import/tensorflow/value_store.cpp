#include "import/tensorflow/value_store.h"

#include <algorithm>

#include "import/wire/names.h"
#include "ops/evaluate.h"
#include "ops/infer.h"

namespace fovea::tensorflow_import {
namespace {

// Constant operands up to this size are computed while reading; the passes take care of larger ones.
constexpr std::int64_t kFoldElements = 1 << 14;

}  // namespace

Tensor transposed(const Tensor& tensor, const std::array<int, 4>& perm) {
  FOVEA_CHECK(tensor.rank() == 4);
  std::array<std::int64_t, 4> strides{}, steps{};
  std::int64_t stride = 1;
  for (int axis = 3; axis >= 0; --axis) {
    strides[static_cast<std::size_t>(axis)] = stride;
    stride *= tensor.dim(axis);
  }
  Dims dims;
  for (std::size_t i = 0; i < 4; ++i) {
    dims.push_back(tensor.dim(perm[i]));
    steps[i] = strides[static_cast<std::size_t>(perm[i])];
  }
  Tensor out(tensor.dtype(), dims);
  const std::size_t width = size_of(tensor.dtype());
  const auto* from = static_cast<const std::byte*>(tensor.raw());
  auto* to = static_cast<std::byte*>(out.raw());
  for (std::int64_t a = 0; a < dims[0]; ++a)
    for (std::int64_t b = 0; b < dims[1]; ++b)
      for (std::int64_t c = 0; c < dims[2]; ++c)
        for (std::int64_t d = 0; d < dims[3]; ++d, to += width)
          std::memcpy(
              to, from + static_cast<std::size_t>(a * steps[0] + b * steps[1] + c * steps[2] + d * steps[3]) * width,
              width);
  return out;
}

Shape permuted(const Shape& shape, std::initializer_list<int> perm) {
  if (shape.rank() != static_cast<int>(perm.size())) return Shape();
  std::vector<Dim> dims;
  for (int axis : perm) dims.push_back(shape[axis]);
  return Shape(std::move(dims));
}

std::string ValueStore::unique_name(const std::string& wanted) {
  std::string name = wanted;
  for (int i = 1; !names.insert(name).second; ++i) name = fmt::format("{}_{}", wanted, i);
  return name;
}

void ValueStore::infer_types(NodeId id) {
  const Graph& graph = builder.graph();
  const Node& node = graph.node(id);
  // A failure is not reported here: inference over the whole finished graph, which knows more, meets it again.
  const auto types = infer_node(node, operands_of(graph, node));
  if (!types.ok()) return;
  for (std::size_t i = 0; i < node.outputs.size() && i < types->size(); ++i)
    if (node.outputs[i] != kNoValue) builder.set_type(node.outputs[i], (*types)[i]);
}

Held* ValueStore::find(const Port& port) {
  const auto found = values_.find(key(port));
  return found == values_.end() ? nullptr : found->second.get();
}

Status ValueStore::add(const Port& port, Held held) {
  const auto count = uses.find(key(port));
  held.uses = count == uses.end() ? 0 : count->second;
  if (!values_.emplace(key(port), std::make_unique<Held>(std::move(held))).second)
    return bad_input("output {} has more than one source", port.output);
  return {};
}

void ValueStore::release(const Port& port) {
  Held* held = find(port);
  if (held && --held->uses == 0) held->constant.reset();
}

ValueId ValueStore::file_order(Held& held, const std::string& name) {
  if (held.file_order != kNoValue) return held.file_order;
  if (held.channels_first != kNoValue) {
    held.file_order = call("Transpose", unique_name(name + "_nhwc"), {held.channels_first},
                           {{"perm", std::vector<std::int64_t>{0, 2, 3, 1}}});
  } else if (held.constant && held.quantised) {
    const Quantised& q = *held.quantised;
    const auto parameters = [&](auto values) {
      Tensor all(DType::kF32, Dims{std::ssize(values)});
      std::transform(values.begin(), values.end(), all.as<float>().begin(), [](auto v) { return float(v); });
      return q.per_tensor() ? std::move(all).reshaped({}) : std::move(all);
    };
    const ValueId bytes = builder.constant(unique_name(name + "_bytes"), held.constant);
    const ValueId scale = builder.constant(unique_name(name + "_scale"), parameters(q.scale));
    const ValueId zero = builder.constant(unique_name(name + "_zero"), parameters(q.zero_point).cast(q.dtype));
    Attributes attributes;
    if (!q.per_tensor()) attributes["axis"] = std::int64_t{q.axis};
    held.file_order = call("DequantizeLinear", unique_name(name + "_real"), {bytes, scale, zero}, attributes);
  } else if (held.constant) {
    held.file_order = builder.constant(unique_name(name + "_const"), held.constant);
  } else if (held.extents &&
             std::all_of(held.extents->begin(), held.extents->end(), [](const Dim& d) { return d.is_fixed(); })) {
    Dims dims;
    if (!held.extents_are_scalar) dims.push_back(std::ssize(*held.extents));
    Tensor all(DType::kS32, dims);
    for (std::size_t i = 0; i < held.extents->size(); ++i)
      all.as<std::int32_t>()[i] = static_cast<std::int32_t>((*held.extents)[i].extent());
    held.file_order = builder.constant(unique_name(name + "_extents"), std::move(all));
  } else {
    used_unknown = true;
  }
  return held.file_order;
}

ValueId ValueStore::channels_first(Held& held, const std::string& name) {
  if (held.channels_first != kNoValue) return held.channels_first;
  if (held.constant && !held.quantised && held.constant->rank() == 4) {
    held.channels_first = builder.constant(unique_name(name + "_nchw"), transposed(*held.constant, {0, 3, 1, 2}));
    return held.channels_first;
  }
  const ValueId given = file_order(held, name);
  const std::vector<std::int64_t> perm = {0, 3, 1, 2};
  held.channels_first = call("Transpose", unique_name(name + "_nchw"), {given}, {{"perm", perm}});
  return held.channels_first;
}

TensorType ValueStore::type(const Held& held) {
  const Graph& graph = builder.graph();
  if (held.file_order != kNoValue) return graph.value(held.file_order).type;
  if (held.channels_first != kNoValue) {
    const TensorType& turned = graph.value(held.channels_first).type;
    return {turned.dtype, permuted(turned.shape, {0, 2, 3, 1})};
  }
  if (held.constant) return {held.quantised ? DType::kF32 : held.constant->dtype(), Shape(held.constant->dims())};
  if (held.extents && held.extents_are_scalar) return {DType::kS32, Shape(Dims{})};
  if (held.extents) return {DType::kS32, Shape(Dims{std::ssize(*held.extents)})};
  return {};
}

std::optional<Tensor> ValueStore::fold(const Node& node) {
  const Graph& graph = builder.graph();
  std::vector<const Tensor*> operands;
  std::int64_t elements = 0;
  for (ValueId v : node.inputs) {
    operands.push_back(v == kNoValue ? nullptr : graph.value(v).constant.get());
    if (v != kNoValue && !operands.back()) return std::nullopt;
    if (v != kNoValue) elements += operands.back()->count();
  }
  if (operands.empty() || elements > kFoldElements || node.op == "DequantizeLinear") return std::nullopt;
  std::vector<InferContext::Operand> types;
  for (const Tensor* t : operands)
    types.push_back(t ? InferContext::Operand{t->type(), t, true} : InferContext::Operand{});
  const auto inferred = infer_node(node, std::move(types));
  if (!inferred.ok() || inferred->empty()) return std::nullopt;
  const auto dims = inferred->front().shape.fixed();
  if (!dims || element_count(*dims) > kFoldElements) return std::nullopt;
  auto results = evaluate_node(node, operands);
  if (!results.ok() || results->empty()) return std::nullopt;
  return std::move(results->front());
}

ValueId ValueStore::call(const std::string& op, const std::string& name, std::vector<ValueId> inputs,
                         Attributes attributes) {
  Node node;
  node.op = op;
  node.name = name;
  node.inputs = inputs;
  node.outputs = {0};
  node.attributes = attributes;
  if (auto folded = fold(node)) return builder.constant(name, std::move(*folded));
  const ValueId value = builder.declare(name);
  infer_types(builder.define(op, name, std::move(inputs), {value}, std::move(attributes)));
  return value;
}

}  // namespace fovea::tensorflow_import
