// Models for the importer's tests, written in protobuf's text format.
#pragma once

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include "graph/text.h"
#include "import/onnx/import_onnx.h"

namespace fovea::onnx_import {

inline std::vector<std::byte> bytes_of(const google::protobuf::Message& message) {
  const std::string text = message.SerializeAsString();
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline onnx::ModelProto parse_model_text(const std::string& text) {
  onnx::ModelProto model;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &model)) << text;
  return model;
}

// A model of one opset around the graph's content in text format.
inline onnx::ModelProto model_of(int opset, const std::string& graph) {
  return parse_model_text(
      fmt::format("ir_version: 7 opset_import {{ domain: '' version: {} }} graph {{ name: 'g' {} }}", opset, graph));
}

// "name: 'x' type {…}" of an f32 tensor; a negative extent stands for the symbol N.
inline std::string port(const std::string& name, const std::vector<int>& dims, int dtype = onnx::TensorProto::FLOAT) {
  std::string shape;
  for (int d : dims) shape += d < 0 ? "dim { dim_param: 'N' } " : fmt::format("dim {{ dim_value: {} }} ", d);
  return fmt::format("name: '{}' type {{ tensor_type {{ elem_type: {} shape {{ {} }} }} }}", name, dtype, shape);
}

inline Result<Graph> read(const onnx::ModelProto& model, const ImportOptions& options = {}) {
  return import_onnx_bytes(bytes_of(model), "test.onnx", options);
}

// The text of an imported model, or its error.
inline std::string text_of(const onnx::ModelProto& model) {
  const auto graph = read(model);
  return graph.ok() ? to_text(*graph, {.constant_values = true}) : graph.error().text();
}

inline std::string error_of(const onnx::ModelProto& model, const ImportOptions& options = {}) {
  const auto graph = read(model, options);
  return graph.ok() ? "accepted: " + to_text(*graph) : graph.error().text();
}

}  // namespace fovea::onnx_import
