// Typed access to the attributes of a GraphDef node, checked against what its operator is known to have.
#pragma once

#include <optional>
#include <vector>

#include "import/tensorflow/decode_tensor.h"

namespace fovea::tensorflow_import {

class AttributeReader {
 public:
  explicit AttributeReader(tf::NodeDef& node) : node_(&node) {}

  // `expected` lists the operator's attributes with their kinds, "T:t strides:li": i integer, f float, b bool, s text,
  // t type, sh shape, tn tensor, and l before them for lists. Attributes that begin with '_' carry notes of tools and
  // may be anything. Any other, one given twice or of another kind is an error.
  Status check(std::string_view expected, const ImportLimits& limits) const;

  bool has(std::string_view name) const { return find(name) != nullptr; }
  // What check() has accepted; the fallback where the node does not have it.
  std::int64_t integer(std::string_view name, std::int64_t fallback) const;
  float real(std::string_view name, float fallback) const;
  bool flag(std::string_view name, bool fallback) const;
  std::string text(std::string_view name, std::string_view fallback) const;
  std::vector<std::int64_t> integers(std::string_view name) const;  // empty where absent
  std::vector<std::string> texts(std::string_view name) const;
  int type(std::string_view name, int fallback) const;  // a number of tf::DataType
  const tf::TensorShape* shape(std::string_view name) const;
  tf::TensorValue* tensor(std::string_view name);

 private:
  const tf::AttrValue* find(std::string_view name) const;
  tf::NodeDef* node_;
};

}  // namespace fovea::tensorflow_import
