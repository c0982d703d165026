#include "ops/onnx_element_type.h"

#include <array>

namespace fovea {
namespace {

// Indexed by DType.
constexpr std::array<std::int64_t, 13> kNumbers = {1, 11, 10, 16, 3, 2, 5, 4, 6, 12, 7, 13, 9};

}  // namespace

Result<DType> dtype_from_onnx(std::int64_t number) {
  for (std::size_t i = 0; i < kNumbers.size(); ++i)
    if (kNumbers[i] == number) return static_cast<DType>(i);
  return unsupported("ONNX element type {} is not supported", number);
}

std::int64_t onnx_number_of(DType dtype) { return kNumbers[static_cast<std::size_t>(dtype)]; }

}  // namespace fovea
