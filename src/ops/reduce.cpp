// The Reduce operators. Each is a rule that accumulates the elements behind one output element, in row-major order.
#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/axes.h"
#include "ops/element_types.h"
#include "ops/integer_operand.h"
#include "ops/numeric_dispatch.h"
#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/strided.h"

namespace fovea::ops {
namespace {

// Which axes are reduced, and whether they stay as extents of 1.
struct Reduction {
  std::vector<bool> reduced;
  bool keep = true;
};

// Nothing while the axes are not known. The input must be ranked.
Result<std::optional<Reduction>> read_reduction(const InferContext& context) {
  FOVEA_TRY(const std::int64_t keep, context.attributes().integer("keepdims", 1));
  FOVEA_TRY(const std::int64_t noop, context.attributes().integer("noop_with_empty_axes", 0));
  std::vector<std::int64_t> axes;
  if (context.has(1)) {
    FOVEA_TRY(auto known, known_integers(context, 1, "axes"));
    if (!known) return std::optional<Reduction>();
    axes = std::move(*known);
  }
  const int rank = context.shape(0).rank();
  FOVEA_TRY(const auto resolved, resolve_axes("operand axes", axes, rank));
  Reduction out{std::vector<bool>(static_cast<std::size_t>(rank), axes.empty() && noop == 0), keep != 0};
  for (const int axis : resolved) out.reduced[static_cast<std::size_t>(axis)] = true;
  return std::optional(std::move(out));
}

Status infer_reduction(InferContext& context, std::initializer_list<DType> types) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "data", types));
  const DType dtype = context.type(0).dtype;
  const Shape& input = context.shape(0);
  FOVEA_TRY(const std::int64_t keep, context.attributes().integer("keepdims", 1));
  if (!input.is_ranked()) return add_output(context, dtype, Shape());
  FOVEA_TRY(const auto reduction, read_reduction(context));
  if (!reduction && keep == 0) return add_output(context, dtype, Shape());
  std::vector<Dim> dims;
  for (int axis = 0; axis < input.rank(); ++axis) {
    if (!reduction)
      dims.emplace_back();
    else if (!reduction->reduced[static_cast<std::size_t>(axis)])
      dims.push_back(input[axis]);
    else if (keep != 0)
      dims.emplace_back(1);
  }
  return add_output(context, dtype, Shape(std::move(dims)));
}

// The extents and strides of the input's kept or of its reduced axes.
struct Axes {
  Dims dims, strides;
};
Axes select_axes(const Dims& dims, const std::vector<bool>& reduced, bool which) {
  const Dims strides = row_major_strides(dims);
  Axes out;
  for (std::size_t axis = 0; axis < dims.size(); ++axis)
    if (reduced[axis] == which) {
      out.dims.push_back(dims[axis]);
      out.strides.push_back(strides[axis]);
    }
  return out;
}

// A Rule<T> accumulates with add(T) and gives its result with result(count) as T.
template <template <class> class Rule>
Status evaluate_reduction(EvalContext& context, Status (*infer)(InferContext&)) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const auto reduction, read_reduction(checked));
  const Axes kept = select_axes(context.input(0).dims(), reduction->reduced, false);
  const Axes reduced = select_axes(context.input(0).dims(), reduction->reduced, true);
  const std::int64_t count = element_count(reduced.dims);
  FOVEA_RETURN_IF_ERROR(dispatch_numeric(out.dtype(), [&](auto tag) -> Status {
    using T = decltype(tag);
    if (Rule<T>::kNeedsElements && count == 0 && out.count() > 0)
      return bad_input("operand data: the reduction of no elements is not defined for {}", checked.type(0).text());
    const T* x = context.input(0).as<T>().data();
    T* y = out.as<T>().data();
    walk<1>(kept.dims, {kept.strides}, [&](const auto& base) {
      Rule<T> rule;
      walk<1>(reduced.dims, {reduced.strides}, [&](const auto& at) { rule.add(x[base[0] + at[0]]); });
      *y++ = rule.result(count);
    });
    return {};
  }));
  context.outputs.push_back(std::move(out));
  return {};
}

// Sums of floats are added in double, of integers with wrap-around.
template <class T>
using Accumulator = std::conditional_t<std::is_floating_point_v<T>, double, Wrapping>;

template <class T>
struct SumRule {
  static constexpr bool kNeedsElements = false;
  Accumulator<T> sum = 0;
  void add(T x) { sum += static_cast<Accumulator<T>>(x); }
  T result(std::int64_t) const { return static_cast<T>(sum); }
};

template <class T>
struct MeanRule {
  static constexpr bool kNeedsElements = std::is_integral_v<T>;  // of floats it is NaN
  Accumulator<T> sum = 0;
  void add(T x) { sum += static_cast<Accumulator<T>>(x); }
  T result(std::int64_t count) const {
    if constexpr (std::is_floating_point_v<T>)
      return static_cast<T>(sum / static_cast<double>(count));
    else if constexpr (std::is_signed_v<T>)
      return static_cast<T>(static_cast<std::int64_t>(sum) / count);
    else
      return static_cast<T>(sum / static_cast<Wrapping>(count));
  }
};

template <class T>
struct ProdRule {
  static constexpr bool kNeedsElements = false;
  Accumulator<T> product = 1;
  void add(T x) { product *= static_cast<Accumulator<T>>(x); }
  T result(std::int64_t) const { return static_cast<T>(product); }
};

// NaN wins; of no elements the result is the value that any element replaces.
template <class T>
struct MaxRule {
  static constexpr bool kNeedsElements = false;
  T most =
      std::numeric_limits<T>::has_infinity ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::lowest();
  void add(T x) {
    if (x != x || x > most) most = x;
  }
  T result(std::int64_t) const { return most; }
};

template <class T>
struct MinRule {
  static constexpr bool kNeedsElements = false;
  T least = std::numeric_limits<T>::has_infinity ? std::numeric_limits<T>::infinity() : std::numeric_limits<T>::max();
  void add(T x) {
    if (x != x || x < least) least = x;
  }
  T result(std::int64_t) const { return least; }
};

template <class T>
struct L1Rule {
  static constexpr bool kNeedsElements = false;
  Accumulator<T> sum = 0;
  void add(T x) {
    const auto v = static_cast<Accumulator<T>>(x);
    sum += x < T{} ? -v : v;
  }
  T result(std::int64_t) const { return static_cast<T>(sum); }
};

template <class T>
struct SumSquareRule {
  static constexpr bool kNeedsElements = false;
  Accumulator<T> sum = 0;
  void add(T x) { sum += static_cast<Accumulator<T>>(x) * static_cast<Accumulator<T>>(x); }
  T result(std::int64_t) const { return static_cast<T>(sum); }
};

template <class T>
struct L2Rule {
  static constexpr bool kNeedsElements = false;
  double sum = 0;
  void add(T x) { sum += static_cast<double>(x) * static_cast<double>(x); }
  T result(std::int64_t) const { return static_cast<T>(std::sqrt(sum)); }
};

template <class T>
struct LogSumRule {
  static constexpr bool kNeedsElements = false;
  double sum = 0;
  void add(T x) { sum += static_cast<double>(x); }
  T result(std::int64_t) const { return static_cast<T>(std::log(sum)); }
};

// sum holds e^(x - most) over all x so far, so that nothing overflows.
template <class T>
struct LogSumExpRule {
  static constexpr bool kNeedsElements = false;
  double most = -std::numeric_limits<double>::infinity(), sum = 0;
  void add(T x) {
    const double v = static_cast<double>(x);
    if (v > most) {
      sum *= std::exp(most - v);
      most = v;
    }
    sum += v == most ? 1 : std::exp(v - most);
  }
  T result(std::int64_t) const { return static_cast<T>(most + std::log(sum)); }
};

}  // namespace

#define REDUCTION(stem, Rule, types)                                                     \
  Status infer_##stem(InferContext& context) { return infer_reduction(context, types); } \
  Status evaluate_##stem(EvalContext& context) { return evaluate_reduction<Rule>(context, infer_##stem); }

REDUCTION(reduce_sum, SumRule, kNumericTypes)
REDUCTION(reduce_mean, MeanRule, kNumericTypes)
REDUCTION(reduce_prod, ProdRule, kNumericTypes)
REDUCTION(reduce_max, MaxRule, kNumericTypes)
REDUCTION(reduce_min, MinRule, kNumericTypes)
REDUCTION(reduce_l1, L1Rule, kNumericTypes)
REDUCTION(reduce_l2, L2Rule, kFloatTypes)
REDUCTION(reduce_sum_square, SumSquareRule, kNumericTypes)
REDUCTION(reduce_log_sum, LogSumRule, kFloatTypes)
REDUCTION(reduce_log_sum_exp, LogSumExpRule, kFloatTypes)

#undef REDUCTION

}  // namespace fovea::ops
