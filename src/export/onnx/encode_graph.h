// From a portable graph to an ONNX message.
#pragma once

#include <onnx/onnx_pb.h>

#include "export/onnx/export_onnx.h"
#include "ops/op_spec.h"

namespace fovea::onnx_export {

Result<std::unique_ptr<onnx::ModelProto>> encode_model(const Graph& graph, const ExportOptions& options);

// The opset to write, as ExportOptions describes it. Also refuses what ONNX files cannot hold.
Result<int> choose_opset(const Graph& graph, const ExportOptions& options);
// Whether ONNX has the operator; the rest exists in compiled graphs only.
bool is_exportable(std::string_view op);
// Whether this node's constant axes must be written as an attribute at `opset` (Reduce… before 18).
bool has_axes_attribute(const Node& node, int opset);

void encode_tensor(const Tensor& tensor, onnx::TensorProto& out);
void encode_type(const TensorType& type, onnx::TypeProto& out);
void encode_attribute(const std::string& name, const Attribute& attribute, onnx::AttributeProto& out);

}  // namespace fovea::onnx_export
