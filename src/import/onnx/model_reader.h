// ModelReader: from a parsed ONNX message to a graph.
#pragma once

#include "import/onnx/operator_table.h"

namespace fovea::onnx_import {

// Takes the message apart. One use.
class ModelReader {
 public:
  ModelReader(onnx::ModelProto& model, const ImportLimits& limits, ExternalFiles& files, std::string graph_name);
  Result<Graph> read() &&;

 private:
  Status read_opset();
  // Lists every operator that has no row in the table.
  Status check_operators() const;
  Status collect_names();
  Status read_constants();
  Status read_inputs();
  Status read_claims();
  Status read_nodes();
  Status read_node(onnx::NodeProto& node);
  Status read_outputs();
  void read_metadata();

  onnx::ModelProto& model_;
  onnx::GraphProto& file_;
  const ImportLimits& limits_;
  TensorDecoder tensors_;
  GraphAssembler assembler_;
  std::unordered_map<std::string, int> domains_;  // operator set versions
  int opset_ = 0;
};

// The type of a graph input or output.
Result<TensorType> decode_type(const onnx::ValueInfoProto& info, const ImportLimits& limits);
// Indices of the file's nodes in an order in which every value is computed before it is used, or an error that names a
// node on a cycle, or a value with two producers.
Result<std::vector<int>> order_of_nodes(const onnx::GraphProto& graph);
// A node's name, or where it has none, that of its first output.
std::string name_of(const onnx::NodeProto& node);

}  // namespace fovea::onnx_import
