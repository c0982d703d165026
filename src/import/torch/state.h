// From a pickled state dict to a list of tensor descriptions: names, geometry and the storage that holds the elements.
#pragma once

#include <map>

#include "import/torch/pickle.h"
#include "tensor/tensor.h"

namespace fovea::torch_import {

// The names that state dicts may use (torch._utils rebuild functions, storage types, dtypes, OrderedDict).
std::span<const AllowedGlobal> state_globals();

// A block of elements beside the pickle.
struct StorageSpec {
  DType dtype = DType::kF32;
  std::int64_t count = 0;  // elements of dtype
  bool untyped = false;    // bytes whose element type only the tensor knows; dtype is u8 then
};

// A strided view of a storage.
struct TensorSpec {
  std::string name;
  DType dtype = DType::kF32;
  std::string storage;      // key in StateSpec::storages
  std::int64_t offset = 0;  // elements
  Dims dims;
  Dims strides;  // elements, not negative
};

struct StateSpec {
  std::vector<TensorSpec> tensors;              // in the order of the file
  std::map<std::string, StorageSpec> storages;  // by key
  std::int64_t skipped = 0;                     // leaves that are no tensors: epoch numbers, settings
};

// Collects every tensor of a dict (or of nested dicts, lists and tuples: their keys are joined with '.'). At most
// 100,000 tensors, 16 levels deep. Errors name the tensor.
Result<StateSpec> interpret_state(const PickleDocument& document);

}  // namespace fovea::torch_import
