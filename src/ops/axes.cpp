#include "ops/axes.h"

#include <algorithm>

#include "ops/operands.h"

namespace fovea::ops {

Result<std::vector<int>> resolve_axes(std::string_view name, std::span<const std::int64_t> axes, int rank) {
  std::vector<int> out;
  for (const std::int64_t axis : axes) {
    FOVEA_TRY(const int resolved, resolve_axis(name, axis, rank));
    if (std::find(out.begin(), out.end(), resolved) != out.end())
      return bad_input("{}: axis {} occurs twice", name, axis);
    out.push_back(resolved);
  }
  return out;
}

}  // namespace fovea::ops
