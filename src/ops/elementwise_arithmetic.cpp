// Add, Sub, Mul, Div, Mod, Pow and PRelu. Integers wrap around; division truncates towards zero.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/elementwise_zip.h"
#include "ops/op_functions.h"

namespace fovea::ops {
namespace {

template <class T, class F>
T wrapping(T a, T b, F&& f) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<T>(f(static_cast<Wrapping>(a), static_cast<Wrapping>(b)));
  else
    return f(a, b);
}

// b is not 0 for integers. The quotient of the lowest integer and -1 wraps around to the lowest integer.
template <class T>
T quotient(T a, T b) {
  if constexpr (std::is_signed_v<T> && std::is_integral_v<T>)
    if (b == -1) return static_cast<T>(Wrapping{0} - static_cast<Wrapping>(a));
  return static_cast<T>(a / b);
}

// Remainder with the sign of the divisor, or of the dividend as C has it.
template <class T>
T remainder(T a, T b, bool sign_of_dividend) {
  if constexpr (std::is_floating_point_v<T>) {
    return std::fmod(a, b);
  } else {
    if constexpr (std::is_signed_v<T>)
      if (b == -1) return 0;
    const T r = static_cast<T>(a % b);
    const bool signs_differ = (r < 0) != (b < 0);
    return !sign_of_dividend && r != 0 && signs_differ ? static_cast<T>(r + b) : r;
  }
}

Error division_by_zero() { return bad_input("integer division by zero"); }

// An integer zero in B that the result would divide by.
bool divides_by_integer_zero(const EvalContext& context) {
  const Tensor& a = context.input(0);
  const Tensor& b = context.input(1);
  if (!is_integer(b.dtype()) || a.count() == 0) return false;
  const auto values = b.to_int64s();
  return std::find(values.begin(), values.end(), 0) != values.end();
}

// Exponentiation by squaring, wrapping around.
Wrapping integer_power(Wrapping base, std::uint64_t exponent) {
  Wrapping result = 1;
  for (; exponent > 0; exponent >>= 1, base *= base)
    if (exponent & 1) result *= base;
  return result;
}

// Truncated towards zero; what T cannot hold (or NaN) saturates (or is 0).
template <class T>
T from_double(double v) {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(v);
  } else {
    if (std::isnan(v)) return 0;
    // The upper limit of 64-bit types rounds up to 2^63 or 2^64, hence >=.
    if (v >= static_cast<double>(std::numeric_limits<T>::max())) return std::numeric_limits<T>::max();
    if (v <= static_cast<double>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
    return static_cast<T>(v);
  }
}

// base^exponent; for a negative integer exponent of an integer base the fraction is cut off, and *failed set for base
// 0.
template <class B, class E>
B power(B base, E exponent, bool* failed) {
  if constexpr (std::is_integral_v<B> && std::is_integral_v<E>) {
    if (exponent >= 0) return static_cast<B>(integer_power(static_cast<Wrapping>(base), std::uint64_t(exponent)));
    *failed |= base == 0;
    if (base == 1) return 1;
    const bool minus_one = std::is_signed_v<B> && base == static_cast<B>(-1);
    return !minus_one ? B{0} : exponent % 2 == 0 ? B{1} : static_cast<B>(-1);
  } else {
    (void)failed;
    return from_double<B>(std::pow(static_cast<double>(base), static_cast<double>(exponent)));
  }
}

Result<bool> read_fmod(const AttributeReader& attributes, DType dtype) {
  FOVEA_TRY(const std::int64_t fmod, attributes.integer("fmod", 0));
  if (fmod != 0 && fmod != 1) return bad_input("attribute fmod: expected 0 or 1, found {}", fmod);
  if (fmod == 0 && is_float(dtype)) return bad_input("attribute fmod: expected 1 for floating-point operands, found 0");
  return fmod == 1;
}

}  // namespace

Status infer_add(InferContext& context) { return infer_zip(context, kNumericTypes); }
Status evaluate_add(EvalContext& context) {
  return zip_numbers(context, infer_add,
                     [](auto a, auto b) { return wrapping(a, b, [](auto x, auto y) { return x + y; }); });
}

Status infer_sub(InferContext& context) { return infer_zip(context, kNumericTypes); }
Status evaluate_sub(EvalContext& context) {
  return zip_numbers(context, infer_sub,
                     [](auto a, auto b) { return wrapping(a, b, [](auto x, auto y) { return x - y; }); });
}

Status infer_mul(InferContext& context) { return infer_zip(context, kNumericTypes); }
Status evaluate_mul(EvalContext& context) {
  return zip_numbers(context, infer_mul,
                     [](auto a, auto b) { return wrapping(a, b, [](auto x, auto y) { return x * y; }); });
}

Status infer_div(InferContext& context) { return infer_zip(context, kNumericTypes); }
Status evaluate_div(EvalContext& context) {
  if (divides_by_integer_zero(context)) return division_by_zero();
  return zip_numbers(context, infer_div, [](auto a, auto b) { return quotient(a, b); });
}

Status infer_mod(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(infer_zip(context, kNumericTypes));
  FOVEA_RETURN_IF_ERROR(read_fmod(context.attributes(), context.type(0).dtype));
  return {};
}
Status evaluate_mod(EvalContext& context) {
  FOVEA_TRY(const bool sign_of_dividend, read_fmod(context.attributes(), context.input(0).dtype()));
  if (divides_by_integer_zero(context)) return division_by_zero();
  return zip_numbers(context, infer_mod, [&](auto a, auto b) { return remainder(a, b, sign_of_dividend); });
}

Status infer_pow(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", kNumericTypes));
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "Y", kNumericTypes));
  FOVEA_TRY(Shape shape, broadcast_inputs(context));
  return add_output(context, context.type(0).dtype, std::move(shape));
}
Status evaluate_pow(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_pow));
  FOVEA_TRY(Tensor out, new_output(checked));
  bool failed = false;
  FOVEA_RETURN_IF_ERROR(dispatch_numeric(context.input(0).dtype(), [&](auto base_tag) -> Status {
    return dispatch_numeric(context.input(1).dtype(), [&](auto exponent_tag) -> Status {
      using B = decltype(base_tag);
      using E = decltype(exponent_tag);
      zip<B, E, B>(context.input(0), context.input(1), out, [&](B b, E e) { return power(b, e, &failed); });
      return {};
    });
  }));
  if (failed) return division_by_zero();
  context.outputs.push_back(std::move(out));
  return {};
}

Status infer_prelu(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", kNumericTypes));
  FOVEA_RETURN_IF_ERROR(expect_same_type(context, 1, "slope", 0, "X"));
  const Shape& x = context.shape(0);
  FOVEA_TRY(const Shape both, broadcast(x, context.shape(1)));
  if (both.is_ranked() && (both.rank() != x.rank() || !both.may_equal(x)))
    return bad_input("operand slope: expected a shape that broadcasts to {}, found {}", x.text(),
                     context.type(1).text());
  return add_output(context, context.type(0).dtype, x);
}
Status evaluate_prelu(EvalContext& context) {
  return zip_numbers(context, infer_prelu, [](auto x, auto slope) {
    return x < 0 ? wrapping(x, slope, [](auto a, auto b) { return a * b; }) : x;
  });
}

}  // namespace fovea::ops
