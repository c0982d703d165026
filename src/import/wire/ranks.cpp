#include "import/wire/ranks.h"

#include "import/wire/names.h"

namespace fovea::wire {

Status check_ranks(const Graph& graph) {
  for (const Value& value : graph.values())
    if (value.type.shape.rank() > kMaxRank)
      return make_error(ErrorCode::kResource, "value {}: expected at most {} dimensions, found {}", shown(value.name),
                        kMaxRank, value.type.shape.rank());
  return {};
}

}  // namespace fovea::wire
