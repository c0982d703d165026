// Element-wise arithmetic between one DequantizeLinear and one QuantizeLinear, as a table of 256 results.
#pragma once

#include <array>
#include <functional>
#include <optional>

#include "graph/graph.h"
#include "ops/fused_qconv.h"

namespace fovea::passes {

// Walks back from the float value `result` over element-wise nodes with scalar constants to the one value that
// `is_source` knows. Nothing if there are several, none, or anything else on the way. `result` itself may be the
// source.
std::optional<ValueId> find_elementwise_source(const Graph& graph, ValueId result,
                                               const std::function<bool(ValueId)>& is_source);

// y for each of the 256 values of x: the nodes between `source` and `result` by their reference evaluations.
Result<std::array<std::uint8_t, 256>> tabulate(const Graph& graph, ValueId source, const Quantised& x, ValueId result,
                                               const Quantised& y);

}  // namespace fovea::passes
