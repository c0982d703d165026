// GraphDefs for the importer's tests, written in protobuf's text format.
#pragma once

#include <gmock/gmock.h>
#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include "graph/text.h"
#include "import/tensorflow/graph_def.pb.h"
#include "import/tensorflow/import_tensorflow.h"
#include "ops/evaluate.h"
#include "ops/infer.h"

namespace fovea::tensorflow_import {

// One node; `attributes` are pairs of a name and the content of its value, {"padding", "s: 'SAME'"}.
inline std::string node(const std::string& name, const std::string& op, const std::vector<std::string>& inputs = {},
                        const std::vector<std::pair<std::string, std::string>>& attributes = {}) {
  std::string out = fmt::format("node {{ name: '{}' op: '{}' ", name, op);
  for (const auto& input : inputs) out += fmt::format("input: '{}' ", input);
  for (const auto& [key, value] : attributes) out += fmt::format("attr {{ key: '{}' value {{ {} }} }} ", key, value);
  return out + "}\n";
}

// "dim {…}": -1 for an open extent.
inline std::string dims(const std::vector<std::int64_t>& extents) {
  std::string out;
  for (const std::int64_t d : extents) out += fmt::format("dim {{ size: {} }} ", d);
  return out;
}

inline std::string placeholder(const std::string& name, const std::vector<std::int64_t>& extents,
                               const std::string& type = "DT_FLOAT") {
  return node(name, "Placeholder", {}, {{"dtype", "type: " + type}, {"shape", "shape { " + dims(extents) + "}"}});
}

// A Const; `elements` are written as the field of their type wants them, "float_val: [1, 2]".
inline std::string constant(const std::string& name, const std::string& type, const std::vector<std::int64_t>& extents,
                            const std::string& elements) {
  return node(
      name, "Const", {},
      {{"dtype", "type: " + type},
       {"value", fmt::format("tensor {{ dtype: {} tensor_shape {{ {} }} {} }}", type, dims(extents), elements)}});
}
inline std::string floats(const std::string& name, const std::vector<std::int64_t>& extents,
                          const std::vector<float>& values) {
  return constant(name, "DT_FLOAT", extents, fmt::format("float_val: [{}]", fmt::join(values, ", ")));
}
inline std::string integers(const std::string& name, const std::vector<int>& values) {
  return constant(name, "DT_INT32", {std::ssize(values)}, fmt::format("int_val: [{}]", fmt::join(values, ", ")));
}
inline std::string integer(const std::string& name, int value) {
  return constant(name, "DT_INT32", {}, fmt::format("int_val: {}", value));
}

// "list { i: [1, 2, 2, 1] }"
inline std::string list(const std::vector<int>& values) {
  return values.empty() ? "list { }" : fmt::format("list {{ i: [{}] }}", fmt::join(values, ", "));
}

inline tensorflow::GraphDef graph_of(const std::string& text) {
  tensorflow::GraphDef graph;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(text, &graph)) << text;
  return graph;
}

inline std::vector<std::byte> bytes_of(const google::protobuf::Message& message) {
  const std::string text = message.SerializeAsString();
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

inline Result<Graph> read(const std::string& text, const TensorflowOptions& options = {}) {
  return import_tensorflow_bytes(bytes_of(graph_of(text)), "test.pb", options);
}

// The text of an imported graph, or its error.
inline std::string text_of(const std::string& text, const TensorflowOptions& options = {}) {
  const auto graph = read(text, options);
  return graph.ok() ? to_text(*graph, {.constant_values = true}) : graph.error().text();
}

inline std::string error_of(const std::string& text, const TensorflowOptions& options = {}) {
  const auto graph = read(text, options);
  return graph.ok() ? "accepted: " + to_text(*graph) : graph.error().text();
}

// The elements of output `output` for one input, whose dims are those of the graph.
inline std::vector<float> result_of(const std::string& text, const Tensor& input, const TensorflowOptions& options = {},
                                    std::size_t output = 0) {
  const auto graph = read(text, options);
  if (!graph.ok()) {
    ADD_FAILURE() << graph.error().text();
    return {};
  }
  const auto bound = specialise(*graph, 1);
  if (!bound.ok()) {
    ADD_FAILURE() << bound.error().text();
    return {};
  }
  const auto done = evaluate_graph(*bound, std::span(&input, 1));
  if (!done.ok()) {
    ADD_FAILURE() << done.error().text();
    return {};
  }
  return done->outputs[output].to_floats();
}

}  // namespace fovea::tensorflow_import
