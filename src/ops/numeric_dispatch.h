// Runs code on the C++ type of a DType for operators that calculate: f32, f64 and the integers.
#pragma once

#include <type_traits>

#include "tensor/dtype.h"

namespace fovea::ops {

template <class T>
inline constexpr bool kCalculates = std::is_arithmetic_v<T> && !std::is_same_v<T, bool>;

// Calls f(T{}), which returns a Status. 16-bit floats never come here (evaluate_node widens them).
template <class F>
Status dispatch_numeric(DType dtype, F&& f) {
  return dispatch(dtype, [&](auto tag) -> Status {
    if constexpr (kCalculates<decltype(tag)>)
      return f(tag);
    else
      return unsupported("no arithmetic on {} elements", dtype_name(dtype));
  });
}

// The same for f32 and f64 only.
template <class F>
Status dispatch_float(DType dtype, F&& f) {
  return dispatch(dtype, [&](auto tag) -> Status {
    if constexpr (std::is_floating_point_v<decltype(tag)>)
      return f(tag);
    else
      return unsupported("no floating-point arithmetic on {} elements", dtype_name(dtype));
  });
}

// Integer arithmetic wraps around: it is done on this type, whose overflow is defined and which is never promoted.
using Wrapping = std::uint64_t;

}  // namespace fovea::ops
