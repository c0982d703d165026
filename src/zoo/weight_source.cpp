#include "zoo/weight_source.h"

#include <cmath>
#include <numeric>

#include "base/rng.h"

namespace fovea {
namespace {

using Role = WeightRequest::Role;

// FNV-1a: tensors of one network get unrelated numbers, whatever the order in which they are asked for.
std::uint64_t hash(std::string_view text) {
  std::uint64_t h = 0xcbf29ce484222325ull;
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  return h;
}

struct Range {
  float low, high;
};

Range range_of(const WeightRequest& request) {
  switch (request.role) {
    case Role::kWeight: {
      const auto fan_in =
          std::accumulate(request.dims.begin() + 1, request.dims.end(), std::int64_t{1}, std::multiplies<>());
      const float half_width = request.gain * std::sqrt(3.0f / static_cast<float>(fan_in));  // variance gain^2 / fan-in
      return {-half_width, half_width};
    }
    case Role::kScale:
      return {0.8f * request.gain, 1.2f * request.gain};
    case Role::kVariance:
      return {0.8f, 1.2f};
    case Role::kBias:
    case Role::kShift:
    case Role::kMean:
      return {-0.1f, 0.1f};
  }
  return {0, 0};
}

}  // namespace

Result<Tensor> SyntheticWeights::get(const WeightRequest& request) {
  Rng rng(seed_ ^ hash(request.name));
  const Range range = range_of(request);
  Tensor tensor(DType::kF32, request.dims);
  for (float& value : tensor.as<float>()) value = rng.uniform(range.low, range.high);
  return tensor;
}

Result<Tensor> CheckpointWeights::get(const WeightRequest& request) {
  const Tensor* found = checkpoint_.find(request.name);
  if (!found) return bad_input("the checkpoint has no tensor '{}'", request.name);
  if (found->dims() != request.dims)
    return bad_input("tensor '{}': expected dims {}, found {}", request.name, to_string(request.dims),
                     to_string(found->dims()));
  if (!is_float(found->dtype()))
    return bad_input("tensor '{}': expected floats, found {}", request.name, dtype_name(found->dtype()));
  return found->dtype() == DType::kF32 ? *found : found->cast(DType::kF32);
}

}  // namespace fovea
