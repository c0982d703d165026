// Functions of one operand without attributes: one row each.
#include <cmath>

#include "ops/elementwise_map.h"
#include "ops/op_functions.h"

namespace fovea::ops {
namespace {

// Without overflow for large x: log(1 + e^x) = max(x, 0) + log(1 + e^-|x|).
double softplus(double x) { return (x > 0 ? x : 0) + std::log1p(std::exp(-std::fabs(x))); }

template <class T>
T negative(T x) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(Wrapping{0} - static_cast<Wrapping>(x));
  else
    return -x;
}

template <class T>
T absolute(T x) {
  if constexpr (std::is_floating_point_v<T>)
    return std::fabs(x);
  else
    return x < 0 ? negative(x) : x;
}

// NaN stays NaN, -0 stays -0.
template <class T>
T sign(T x) {
  return x > 0 ? T{1} : x < 0 ? static_cast<T>(-1) : x;
}

}  // namespace

// FLOAT_MAP: floats, calculated in double. NUMBER_MAP: the element types listed, calculated as they are.
#define FLOAT_MAP(stem, expression)                                                      \
  Status infer_##stem(InferContext& context) { return infer_map(context, kFloatTypes); } \
  Status evaluate_##stem(EvalContext& context) {                                         \
    return map_floats(context, infer_##stem, [](double x) { return expression; });       \
  }
#define NUMBER_MAP(stem, types, expression)                                        \
  Status infer_##stem(InferContext& context) { return infer_map(context, types); } \
  Status evaluate_##stem(EvalContext& context) {                                   \
    return map_numbers(context, infer_##stem, [](auto x) { return expression; });  \
  }

FLOAT_MAP(sigmoid, 1.0 / (1.0 + std::exp(-x)))
FLOAT_MAP(tanh, std::tanh(x))
FLOAT_MAP(erf, std::erf(x))
FLOAT_MAP(exp, std::exp(x))
FLOAT_MAP(log, std::log(x))
FLOAT_MAP(sqrt, std::sqrt(x))
FLOAT_MAP(reciprocal, 1.0 / x)
FLOAT_MAP(sin, std::sin(x))
FLOAT_MAP(cos, std::cos(x))
FLOAT_MAP(floor, std::floor(x))
FLOAT_MAP(ceil, std::ceil(x))
FLOAT_MAP(round, std::nearbyint(x))  // the default rounding mode: halves to even
FLOAT_MAP(softplus, softplus(x))
FLOAT_MAP(softsign, x / (1.0 + std::fabs(x)))
FLOAT_MAP(mish, x* std::tanh(softplus(x)))
NUMBER_MAP(relu, kSignedTypes, x < 0 ? decltype(x){0} : x)
NUMBER_MAP(abs, kNumericTypes, absolute(x))
NUMBER_MAP(neg, kSignedTypes, negative(x))
NUMBER_MAP(sign, kNumericTypes, sign(x))

#undef FLOAT_MAP
#undef NUMBER_MAP

}  // namespace fovea::ops
