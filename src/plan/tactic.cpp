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
  return fixed_us + std::max(cost.macs / (gmacs_per_s * 1e3),
                             (cost.bytes_read + cost.bytes_written) / (gbytes_per_s * 1e3));
}

}  // namespace fovea
