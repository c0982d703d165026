// What stands behind the handles of the public headers.
#pragma once

#include <type_traits>

#include "fovea/runner.h"
#include "plan/plan.h"
#include "zoo/load_model.h"

namespace fovea {

struct Model::Impl {
  LoadedModel loaded;
};

struct CompiledModel::Impl {
  std::shared_ptr<const Plan> plan;
  int threads = 1;
};

// The public enumerations repeat the internal ones, in the same order.
static_assert(static_cast<int>(ElementType::kF32) == static_cast<int>(DType::kF32));
static_assert(static_cast<int>(ElementType::kBool) == static_cast<int>(DType::kBool));
static_assert(static_cast<int>(ElementType::kU8) == static_cast<int>(DType::kU8));
static_assert(static_cast<int>(AxisOrder::kChannelsLast) == static_cast<int>(Layout::kChannelsLast));
inline DType internal(ElementType type) { return static_cast<DType>(type); }
inline Layout internal(AxisOrder order) { return static_cast<Layout>(order); }
inline ElementType external(DType type) { return static_cast<ElementType>(type); }
inline AxisOrder external(Layout layout) { return static_cast<AxisOrder>(layout); }

}  // namespace fovea
