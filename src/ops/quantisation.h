// Rounding and saturation of quantised values as ONNX defines them, for every operator that quantises.
#pragma once

#include "ops/op_spec.h"

namespace fovea::ops {

// Values that a quantised type holds.
struct IntegerRange {
  double low = 0, high = 0;
};
IntegerRange range_of(DType dtype);  // of an 8-, 16- or 32-bit integer type

// saturate(round(scaled) + zero_point), halves rounded to even. NaN, of which ONNX says nothing, becomes the zero
// point.
double quantised(double scaled, double zero_point, const IntegerRange& range);

// Writes integral values within the type's range as elements of an integer tensor from `begin` on.
void store_integers(std::span<const double> values, Tensor& tensor, std::int64_t begin = 0);

// Elements of an optional zero point; `count` zeros where it is omitted.
std::vector<double> zero_points_or_zeros(const EvalContext& context, int i, std::int64_t count);

}  // namespace fovea::ops
