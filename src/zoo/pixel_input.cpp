#include "zoo/pixel_input.h"

#include <algorithm>

#include "graph/patch.h"
#include "ops/infer.h"
#include "ops/onnx_element_type.h"

namespace fovea {
namespace {

class Arithmetic {
 public:
  Arithmetic(GraphPatch& patch, ValueId value, std::string name)
      : patch_(patch), value_(value), name_(std::move(name)) {}

  Status apply(const char* op, const char* what, std::vector<float> values, float neutral) {
    if (std::all_of(values.begin(), values.end(), [&](float v) { return v == neutral; })) return {};
    const Dims dims = values.size() == 1 ? Dims{} : Dims{1, std::ssize(values), 1, 1};
    const std::string name = fmt::format("{}.{}", name_, what);
    const ValueId constant = patch_.add_constant(name, Tensor::of<float>(dims, values));
    FOVEA_TRY(value_, add_inferred(patch_, op, name, {value_, constant}));
    return {};
  }
  ValueId value() const { return value_; }

 private:
  GraphPatch& patch_;
  ValueId value_;
  std::string name_;
};

}  // namespace

Status use_pixel_input(LoadedModel& model) {
  const Graph& graph = model.graph;
  const Preprocess& p = model.preprocess;
  if (p.resize.kind != ResizeRule::Kind::kNone && is_float_interpolation(p.interpolation))
    return unsupported("{}: its {} resize gives fractions of pixels, which pixels as bytes would lose",
                       model.entry.name, interpolation_name(p.interpolation));
  if (p.dtype != DType::kF32) return unsupported("{}: its pre-processing delivers pixels already", model.entry.name);
  if (graph.inputs().size() != 1)
    return unsupported("{}: pixels need one input, it has {}", model.entry.name, graph.inputs().size());
  const ValueId input = graph.inputs()[0];
  const Value& x = graph.value(input);
  if (x.type.dtype != DType::kF32 || x.type.shape.rank() != 4 || !(x.type.shape[1] == Dim(3)))
    return unsupported("{}: pixels need an input f32[N,3,H,W], input {} is {}", model.entry.name, x.name,
                       x.type.text());
  GraphPatch patch(graph, "pixel input");
  FOVEA_TRY(const ValueId floats,
            add_inferred(patch, "Cast", x.name + ".pixels", {input}, {{"to", onnx_number_of(DType::kF32)}}));
  Arithmetic steps(patch, floats, x.name);
  FOVEA_RETURN_IF_ERROR(steps.apply("Div", "divided", {p.divisor}, 1));
  FOVEA_RETURN_IF_ERROR(steps.apply("Sub", "centred", {p.mean.begin(), p.mean.end()}, 0));
  FOVEA_RETURN_IF_ERROR(steps.apply("Div", "scaled", {p.std.begin(), p.std.end()}, 1));
  const auto uses = graph.uses();
  for (const Graph::Use& use : uses[static_cast<std::size_t>(input)])
    patch.set_input(use.node, use.input, steps.value());
  patch.set_type(input, {DType::kU8, x.type.shape});
  FOVEA_RETURN_IF_ERROR(std::move(patch).apply(model.graph));
  model.preprocess.dtype = DType::kU8;
  return {};
}

}  // namespace fovea
