#include "import/onnx/decode_attributes.h"

#include "import/onnx/read_model.h"

namespace fovea::onnx_import {
namespace {

struct KindRow {
  std::string_view code;
  onnx::AttributeProto::AttributeType type;
  const char* text;
};
constexpr KindRow kKinds[] = {
    {"i", onnx::AttributeProto::INT, "an integer"},  {"f", onnx::AttributeProto::FLOAT, "a float"},
    {"s", onnx::AttributeProto::STRING, "a text"},   {"is", onnx::AttributeProto::INTS, "integers"},
    {"fs", onnx::AttributeProto::FLOATS, "floats"},  {"ss", onnx::AttributeProto::STRINGS, "texts"},
    {"t", onnx::AttributeProto::TENSOR, "a tensor"}, {"st", onnx::AttributeProto::SPARSE_TENSOR, "a sparse tensor"},
};

const char* kind_text(int type) {
  for (const KindRow& row : kKinds)
    if (row.type == type) return row.text;
  return type == onnx::AttributeProto::GRAPH || type == onnx::AttributeProto::GRAPHS ? "a subgraph" : "something else";
}

// Files before IR version 2 do not say which kind an attribute has: it shows in what is filled in.
int type_of(const onnx::AttributeProto& a, int expected) {
  if (a.has_type() && a.type() != onnx::AttributeProto::UNDEFINED) return a.type();
  if (a.has_i()) return onnx::AttributeProto::INT;
  if (a.has_f()) return onnx::AttributeProto::FLOAT;
  if (a.has_s()) return onnx::AttributeProto::STRING;
  if (a.has_t()) return onnx::AttributeProto::TENSOR;
  if (a.has_g()) return onnx::AttributeProto::GRAPH;
  if (a.ints_size() > 0) return onnx::AttributeProto::INTS;
  if (a.floats_size() > 0) return onnx::AttributeProto::FLOATS;
  if (a.strings_size() > 0) return onnx::AttributeProto::STRINGS;
  return expected;  // an empty list
}

// The row of kKinds for attribute `name` in the list of expected ones; nullptr if it is not there.
const KindRow* expected_kind(std::string_view expected, std::string_view name) {
  while (!expected.empty()) {
    const std::string_view entry = expected.substr(0, expected.find(' '));
    expected.remove_prefix(std::min(expected.size(), entry.size() + 1));
    const auto colon = entry.find(':');
    if (entry.substr(0, colon) != name) continue;
    for (const KindRow& row : kKinds)
      if (row.code == entry.substr(colon + 1)) return &row;
  }
  return nullptr;
}

Result<Attribute> decode_one(onnx::AttributeProto& a, std::string_view expected, TensorDecoder& tensors) {
  const KindRow* kind = expected_kind(expected, a.name());
  if (!kind) return bad_input("the operator has no such attribute");
  if (!a.ref_attr_name().empty()) return unsupported("it refers to an attribute of a function, which is not supported");
  if (const int type = type_of(a, kind->type); type != kind->type)
    return bad_input("expected {}, found {}", kind->text, kind_text(type));
  switch (kind->type) {
    case onnx::AttributeProto::INT:
      return Attribute(std::int64_t{a.i()});
    case onnx::AttributeProto::FLOAT:
      return Attribute(a.f());
    case onnx::AttributeProto::STRING:
      return Attribute(a.s());
    case onnx::AttributeProto::INTS:
      return Attribute(std::vector<std::int64_t>(a.ints().begin(), a.ints().end()));
    case onnx::AttributeProto::FLOATS:
      return Attribute(std::vector<float>(a.floats().begin(), a.floats().end()));
    case onnx::AttributeProto::STRINGS:
      return Attribute(std::vector<std::string>(a.strings().begin(), a.strings().end()));
    case onnx::AttributeProto::SPARSE_TENSOR:
      return unsupported("sparse tensors are not supported");
    default:
      break;
  }
  FOVEA_TRY(Tensor tensor, tensors.decode(*a.mutable_t()));
  return Attribute(std::make_shared<const Tensor>(std::move(tensor)));
}

}  // namespace

Result<Attributes> decode_attributes(onnx::NodeProto& node, std::string_view expected, TensorDecoder& tensors) {
  Attributes out;
  for (onnx::AttributeProto& a : *node.mutable_attribute()) {
    Result<Attribute> attribute = decode_one(a, expected, tensors);
    if (!attribute.ok()) return std::move(attribute).error().within(fmt::format("attribute {}", shown(a.name())));
    if (!out.emplace(a.name(), std::move(attribute).value()).second)
      return bad_input("attribute {} is given twice", shown(a.name()));
  }
  return out;
}

}  // namespace fovea::onnx_import
