// Operands that hold integers as parameters: axes, sizes, pads, starts, k.
#pragma once

#include <optional>
#include <vector>

#include "ops/op_spec.h"

namespace fovea::ops {

// The elements of operand i, an s64 or s32 tensor of rank 0 or 1; nothing while they are not known. Its type is checked
// in any case.
Result<std::optional<std::vector<std::int64_t>>> known_integers(const InferContext& context, int i,
                                                                std::string_view name);
// The same for exactly one integer.
Result<std::optional<std::int64_t>> known_integer(const InferContext& context, int i, std::string_view name);

// How many elements operand i (rank 0 or 1) has, if that is known.
std::optional<std::int64_t> known_length(const InferContext& context, int i);

}  // namespace fovea::ops
