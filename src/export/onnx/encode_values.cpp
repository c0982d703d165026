// Tensors, types and attributes as ONNX messages.
#include "export/onnx/encode_graph.h"
#include "ops/onnx_element_type.h"

namespace fovea::onnx_export {

void encode_tensor(const Tensor& tensor, onnx::TensorProto& out) {
  for (std::int64_t extent : tensor.dims()) out.add_dims(extent);
  out.set_data_type(static_cast<int>(onnx_number_of(tensor.dtype())));
  if (tensor.bytes() > 0)
    out.set_raw_data(tensor.raw(), tensor.bytes());
  else
    out.set_raw_data("");
}

void encode_type(const TensorType& type, onnx::TypeProto& out) {
  auto& tensor = *out.mutable_tensor_type();
  tensor.set_elem_type(static_cast<int>(onnx_number_of(type.dtype)));
  if (!type.shape.is_ranked()) return;
  auto& shape = *tensor.mutable_shape();
  for (const Dim& dim : type.shape.dims()) {
    auto& entry = *shape.add_dim();
    if (dim.is_fixed())
      entry.set_dim_value(dim.extent());
    else if (!dim.symbol().empty())
      entry.set_dim_param(dim.symbol());
  }
}

void encode_attribute(const std::string& name, const Attribute& attribute, onnx::AttributeProto& out) {
  out.set_name(name);
  struct Visitor {
    onnx::AttributeProto& out;
    void operator()(std::int64_t v) const {
      out.set_type(onnx::AttributeProto::INT);
      out.set_i(v);
    }
    void operator()(float v) const {
      out.set_type(onnx::AttributeProto::FLOAT);
      out.set_f(v);
    }
    void operator()(const std::string& v) const {
      out.set_type(onnx::AttributeProto::STRING);
      out.set_s(v);
    }
    void operator()(const std::vector<std::int64_t>& v) const {
      out.set_type(onnx::AttributeProto::INTS);
      for (std::int64_t i : v) out.add_ints(i);
    }
    void operator()(const std::vector<float>& v) const {
      out.set_type(onnx::AttributeProto::FLOATS);
      for (float f : v) out.add_floats(f);
    }
    void operator()(const std::vector<std::string>& v) const {
      out.set_type(onnx::AttributeProto::STRINGS);
      for (const auto& s : v) out.add_strings(s);
    }
    void operator()(const std::shared_ptr<const Tensor>& v) const {
      out.set_type(onnx::AttributeProto::TENSOR);
      encode_tensor(*v, *out.mutable_t());
    }
  };
  std::visit(Visitor{out}, attribute);
}

}  // namespace fovea::onnx_export
