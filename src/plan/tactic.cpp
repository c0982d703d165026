#include "plan/tactic.h"

#include <algorithm>

#include "ops/infer.h"

namespace fovea {

TacticLayouts uniform_layouts(const TacticQuery& query, Layout layout) {
  TacticLayouts out;
  const auto of = [&](ValueId v) {
    return v != kNoValue && query.graph.value(v).type.shape.rank() >= 3 ? layout : Layout::kRowMajor;
  };
  for (ValueId v : query.node.inputs) out.inputs.push_back(of(v));
  for (ValueId v : query.node.outputs) out.outputs.push_back(of(v));
  return out;
}

double estimate_us(const TacticQuery& query, double gmacs_per_s, double gbytes_per_s, double fixed_us) {
  const auto producer = query.output().producer;
  const Cost cost = node_cost(query.graph, producer);
  double constant_bytes = 0;
  for (int i = 0; i < static_cast<int>(query.node.inputs.size()); ++i)
    if (const Tensor* constant = query.constant(i)) constant_bytes += static_cast<double>(constant->bytes());
  const Dims dims = query.output_dims();
  const double images = dims.empty() ? 1.0 : static_cast<double>(std::max<std::int64_t>(dims[0], 1));
  const double bytes = constant_bytes + (cost.bytes_read - constant_bytes + cost.bytes_written) / images;
  return fixed_us + std::max(cost.macs / images / (gmacs_per_s * 1e3), bytes / (gbytes_per_s * 1e3));
}

}  // namespace fovea
