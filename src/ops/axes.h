// Lists of axes: negative ones count from the back, each may occur once.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace fovea::ops {

// Every axis of the list made non-negative, in the order given (resolve_axis of operands.h does one).
Result<std::vector<int>> resolve_axes(std::string_view name, std::span<const std::int64_t> axes, int rank);

}  // namespace fovea::ops
