// Lists of element types that operators accept, besides those of operands.h.
#pragma once

#include <initializer_list>

#include "tensor/dtype.h"

namespace fovea::ops {

inline constexpr std::initializer_list<DType> kBoolTypes = {DType::kBool};
inline constexpr std::initializer_list<DType> kIndexTypes = {DType::kS64, DType::kS32};
inline constexpr std::initializer_list<DType> kIntegerTypes = {DType::kS8,  DType::kU8,  DType::kS16, DType::kU16,
                                                               DType::kS32, DType::kU32, DType::kS64, DType::kU64};
// Floats and signed integers.
inline constexpr std::initializer_list<DType> kSignedTypes = {DType::kF32, DType::kF64, DType::kF16, DType::kBf16,
                                                              DType::kS8,  DType::kS16, DType::kS32, DType::kS64};
// All but bool.
inline constexpr std::initializer_list<DType> kNumericTypes = {DType::kF32, DType::kF64, DType::kF16, DType::kBf16,
                                                               DType::kS8,  DType::kU8,  DType::kS16, DType::kU16,
                                                               DType::kS32, DType::kU32, DType::kS64, DType::kU64};
inline constexpr std::initializer_list<DType> kAllTypes = {
    DType::kF32, DType::kF64, DType::kF16, DType::kBf16, DType::kS8,  DType::kU8,  DType::kS16,
    DType::kU16, DType::kS32, DType::kU32, DType::kS64,  DType::kU64, DType::kBool};

}  // namespace fovea::ops
