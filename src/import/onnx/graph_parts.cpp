// Names, types and the order of nodes of an ONNX graph.
#include <queue>

#include "import/onnx/model_reader.h"
#include "import/onnx/read_model.h"

namespace fovea::onnx_import {
namespace {

Result<Dim> decode_dim(const onnx::TensorShapeProto::Dimension& dim, const ImportLimits& limits) {
  if (dim.has_dim_param() && !dim.dim_param().empty()) {
    FOVEA_RETURN_IF_ERROR(check_name(dim.dim_param(), limits));
    return Dim::symbolic(dim.dim_param());
  }
  // Some exporters write -1 for an extent that is open.
  if (!dim.has_dim_value() || dim.dim_value() == -1) return Dim();
  if (dim.dim_value() < 0) return bad_input("expected an extent of at least 0, found {}", dim.dim_value());
  return Dim(dim.dim_value());
}

}  // namespace

std::string name_of(const onnx::NodeProto& node) {
  if (!node.name().empty()) return node.name();
  for (const auto& output : node.output())
    if (!output.empty()) return output;
  return node.op_type();
}

Result<TensorType> decode_type(const onnx::ValueInfoProto& info, const ImportLimits& limits) {
  if (!info.has_type()) return bad_input("it has no type");
  if (!info.type().has_tensor_type())
    return unsupported("only tensors are supported, not sequences, maps or optionals");
  const auto& tensor = info.type().tensor_type();
  FOVEA_TRY(const DType dtype, decode_dtype(tensor.elem_type()));
  if (!tensor.has_shape()) return TensorType{dtype, Shape()};
  if (tensor.shape().dim_size() > kMaxRank)
    return make_error(ErrorCode::kResource, "expected at most {} dimensions, found {}", kMaxRank,
                      tensor.shape().dim_size());
  std::vector<Dim> dims;
  Dims fixed;
  for (const auto& dim : tensor.shape().dim()) {
    FOVEA_TRY(dims.emplace_back(), decode_dim(dim, limits));
    if (dims.back().is_fixed()) fixed.push_back(dims.back().extent());
  }
  FOVEA_TRY([[maybe_unused]] const std::int64_t count, checked_element_count(fixed));
  return TensorType{dtype, Shape(std::move(dims))};
}

Result<std::vector<int>> order_of_nodes(const onnx::GraphProto& graph) {
  std::unordered_map<std::string_view, int> producers;
  for (int i = 0; i < graph.node_size(); ++i)
    for (const auto& output : graph.node(i).output())
      if (!output.empty() && !producers.emplace(output, i).second)
        return bad_input("value {} has more than one source, one is node {}", shown(output),
                         shown(name_of(graph.node(i))));
  // Kahn's algorithm, smallest index first, which keeps the order of a well-formed file.
  std::vector<std::vector<int>> consumers(static_cast<std::size_t>(graph.node_size()));
  std::vector<int> missing(consumers.size(), 0);
  std::priority_queue<int, std::vector<int>, std::greater<>> ready;
  for (int i = 0; i < graph.node_size(); ++i) {
    for (const auto& input : graph.node(i).input())
      if (const auto producer = producers.find(input); producer != producers.end()) {
        consumers[static_cast<std::size_t>(producer->second)].push_back(i);
        ++missing[static_cast<std::size_t>(i)];
      }
    if (missing[static_cast<std::size_t>(i)] == 0) ready.push(i);
  }
  std::vector<int> order;
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    for (int consumer : consumers[static_cast<std::size_t>(order.back())])
      if (--missing[static_cast<std::size_t>(consumer)] == 0) ready.push(consumer);
  }
  for (int i = 0; i < graph.node_size(); ++i)
    if (missing[static_cast<std::size_t>(i)] > 0)
      return bad_input("the graph has a cycle through or before node {} ({})", shown(name_of(graph.node(i))),
                       shown(graph.node(i).op_type()));
  return order;
}

}  // namespace fovea::onnx_import
