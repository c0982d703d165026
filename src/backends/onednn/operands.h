// Checks of a query's operands that several tactics share; each explains itself when it fails.
#pragma once

#include "backends/onednn/library.h"

namespace fovea::onednn {

// All present activations (not constants) and the output are f32 or bf16, of fixed extents above zero.
Verdict check_activations(const TacticQuery& query);

// Elements of the tensor that the query's input or output `value` is; its extents must be fixed.
std::int64_t count_of(const Value& value);

// The channels-last form where the rank allows it: what the neighbours of a convolution use.
TacticLayouts channels_last_layouts(const TacticQuery& query);

}  // namespace fovea::onednn
