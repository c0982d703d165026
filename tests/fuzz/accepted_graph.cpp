#include "tests/fuzz/accepted_graph.h"

#include <algorithm>
#include <cmath>

#include "ops/infer.h"

namespace fovea::fuzz {
namespace {

constexpr double kMaxWork = 1e6;
constexpr double kMaxElements = 3e5;

// Rough number of inner loop steps of evaluating a node; infinite where a shape is open.
double work_of(const Graph& graph, NodeId id) {
  const Node& node = graph.node(id);
  double largest = 1;
  for (const auto* values : {&node.inputs, &node.outputs})
    for (ValueId v : *values) {
      if (v == kNoValue) continue;
      const auto dims = graph.value(v).type.shape.fixed();
      if (!dims) return HUGE_VAL;
      largest = std::max(largest, static_cast<double>(element_count(*dims)));
    }
  if (node.op == "NonMaxSuppression") return largest * largest;
  // Windows of pools and of LRN have no cost of their own.
  double window = 1;
  if (const auto kernel = node.attributes.find("kernel_shape"); kernel != node.attributes.end())
    if (const auto* extents = std::get_if<std::vector<std::int64_t>>(&kernel->second))
      for (std::int64_t e : *extents) window *= std::max(1.0, static_cast<double>(e));
  if (const auto size = node.attributes.find("size"); size != node.attributes.end())
    if (const auto* extent = std::get_if<std::int64_t>(&size->second))
      window *= std::max(1.0, static_cast<double>(*extent));
  return largest * window + node_cost(graph, id).macs;
}

double elements_of(const Graph& graph, ValueId v) {
  const auto dims = v == kNoValue ? Dims{0} : graph.value(v).type.shape.fixed();
  return dims ? static_cast<double>(element_count(*dims)) : HUGE_VAL;
}

}  // namespace

Result<Graph> bind_open_extents(const Graph& graph) {
  std::map<std::string, Dims> dims;
  for (ValueId v : graph.inputs()) {
    const Shape& shape = graph.value(v).type.shape;
    Dims extents;
    for (const Dim& d : shape.dims()) extents.push_back(d.is_fixed() ? d.extent() : 2);
    if (shape.is_ranked()) dims[graph.value(v).name] = std::move(extents);
  }
  return specialise(graph, 2, dims);
}

bool is_small(const Graph& graph) {
  double work = 0, elements = 0;
  for (ValueId v : graph.inputs()) elements += elements_of(graph, v);
  for (NodeId id : graph.topological_order()) {
    work += work_of(graph, id);
    for (ValueId v : graph.node(id).outputs) elements += elements_of(graph, v);
  }
  return work <= kMaxWork && elements <= kMaxElements;
}

std::vector<Tensor> noise_for(const Graph& graph, Rng& rng) {
  std::vector<Tensor> out;
  for (ValueId v : graph.inputs()) {
    const TensorType& type = graph.value(v).type;
    Tensor noise(DType::kF32, *type.shape.fixed());
    for (float& x : noise.as<float>()) x = rng.uniform(-2, 2);
    out.push_back(noise.cast(type.dtype));
  }
  return out;
}

}  // namespace fovea::fuzz
