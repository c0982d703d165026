#include "ops/quantisation.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "ops/operands.h"

namespace fovea::ops {

IntegerRange range_of(DType dtype) {
  return dispatch(dtype, [](auto tag) -> IntegerRange {
    using T = decltype(tag);
    if constexpr (std::is_integral_v<T> && sizeof(T) <= 4)
      return {static_cast<double>(std::numeric_limits<T>::lowest()),
              static_cast<double>(std::numeric_limits<T>::max())};
    else
      throw CheckFailure("range_of: not a quantised type");
  });
}

double quantised(double scaled, double zero_point, const IntegerRange& range) {
  if (std::isnan(scaled)) return zero_point;
  return std::clamp(std::nearbyint(scaled) + zero_point, range.low, range.high);
}

void store_integers(std::span<const double> values, Tensor& tensor, std::int64_t begin) {
  FOVEA_CHECK(begin >= 0 && begin + static_cast<std::int64_t>(values.size()) <= tensor.count());
  dispatch(tensor.dtype(), [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_integral_v<T>) {
      T* out = tensor.as<T>().data() + begin;
      for (std::size_t i = 0; i < values.size(); ++i) out[i] = static_cast<T>(static_cast<std::int64_t>(values[i]));
    } else {
      throw CheckFailure("store_integers: not an integer tensor");
    }
  });
}

std::vector<double> zero_points_or_zeros(const EvalContext& context, int i, std::int64_t count) {
  if (context.has(i)) return widened(context.input(i));
  return std::vector<double>(static_cast<std::size_t>(count));
}

}  // namespace fovea::ops
