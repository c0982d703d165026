#include "zoo/classifier.h"

namespace fovea {

Status check_classifier(const LoadedModel& model) {
  const Graph& graph = model.graph;
  if (graph.inputs().size() != 1 || graph.value(graph.inputs()[0]).type.shape.rank() != 4)
    return unsupported("{}: needs one image input of rank 4, the model has {} input(s), the first is {}",
                       model.entry.name, graph.inputs().size(),
                       graph.inputs().empty() ? "missing" : graph.value(graph.inputs()[0]).type.text());
  if (graph.outputs().empty()) return bad_input("{}: the model has no output", model.entry.name);
  const TensorType& out = graph.value(graph.outputs()[0].value).type;
  if (graph.outputs().size() != 1 || out.dtype != DType::kF32 ||
      (out.shape.is_ranked() && out.shape.rank() != 2 && out.shape.rank() != 4))
    return unsupported("{}: not a classifier: it has {} output(s), the first is {}", model.entry.name,
                       graph.outputs().size(), out.text());
  return {};
}

CompileOptions classifier_compile_options(Precision precision, std::int64_t batch, const PlanOptions& plan) {
  CompileOptions options;
  options.precision = precision;
  options.batch = batch;
  options.input_layout = Layout::kChannelsLast;
  options.plan = plan;
  return options;
}

}  // namespace fovea
