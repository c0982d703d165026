// Copies a strided view of raw storage bytes into a dense tensor, with every bound checked first.
#pragma once

#include "import/torch/state.h"

namespace fovea::torch_import {

// Elements of `spec` from `storage` (little-endian, any alignment). Nothing is allocated before the view is known to
// lie inside the storage and to fit into `byte_budget`, which it reduces.
Result<Tensor> gather_tensor(const TensorSpec& spec, std::span<const std::byte> storage, std::int64_t& byte_budget);

}  // namespace fovea::torch_import
