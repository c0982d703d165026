// Element-wise arithmetic between bytes and one QuantizeLinear, as a table of 256 results, or as one a channel.
#pragma once

#include <functional>
#include <optional>

#include "graph/graph.h"
#include "ops/fused_qconv.h"

namespace fovea::passes {

// Walks back from the float value `result` over element-wise nodes with constants, scalar or one a channel of a rank-4
// value, to the one value that
// `is_source` knows. Nothing if there are several, none, or anything else on the way. `result` itself may be the
// source.
std::optional<ValueId> find_elementwise_source(const Graph& graph, ValueId result,
                                               const std::function<bool(ValueId)>& is_source);

// y for each of the 256 values of x: the nodes between `source` and `result` by their reference evaluations. u8 [256],
// or [C,256] where a constant differs from channel to channel.
Result<Tensor> tabulate(const Graph& graph, ValueId source, const Quantised& x, ValueId result, const Quantised& y);

}  // namespace fovea::passes
