// Constant, ConstantOfShape, Range, Shape and Size: values that come from attributes, extents or three numbers.
#include <algorithm>
#include <array>
#include <cmath>

#include "ops/extents.h"
#include "ops/integer_operand.h"
#include "ops/numeric_dispatch.h"
#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/strided.h"

namespace fovea::ops {
namespace {

// The value of a Constant node, from whichever of its attributes is set.
Result<std::shared_ptr<const Tensor>> constant_value(const AttributeReader& attributes) {
  const auto list = [](const auto& values) {
    using T = typename std::decay_t<decltype(values)>::value_type;
    return std::make_shared<const Tensor>(
        Tensor::of<T>({static_cast<std::int64_t>(values.size())}, std::span<const T>(values)));
  };
  if (attributes.has("value")) {
    FOVEA_TRY(auto value, attributes.tensor("value"));
    if (!value) return bad_input("attribute value: holds no tensor");
    return value;
  }
  if (attributes.has("value_float")) {
    FOVEA_TRY(const float value, attributes.real("value_float"));
    return std::make_shared<const Tensor>(Tensor::scalar(value));
  }
  if (attributes.has("value_int")) {
    FOVEA_TRY(const std::int64_t value, attributes.integer("value_int"));
    return std::make_shared<const Tensor>(Tensor::scalar(value));
  }
  if (attributes.has("value_floats")) {
    FOVEA_TRY(const auto values, attributes.reals("value_floats"));
    return list(values);
  }
  if (attributes.has("value_ints")) {
    FOVEA_TRY(const auto values, attributes.integers("value_ints"));
    return list(values);
  }
  return unsupported("expected one of the attributes value, value_float, value_floats, value_int, value_ints");
}

// What ConstantOfShape fills with: one element, f32 zero by default.
Result<std::shared_ptr<const Tensor>> fill_value(const AttributeReader& attributes) {
  if (!attributes.has("value")) return std::make_shared<const Tensor>(Tensor::scalar(0.0f));
  FOVEA_TRY(auto value, attributes.tensor("value"));
  if (!value || value->count() != 1)
    return bad_input("attribute value: expected one element, found {}", value ? value->type().text() : "none");
  return value;
}

// How many of start, start + delta, … lie before limit. kResource where no tensor could hold them.
template <class T>
Result<std::int64_t> range_count(T start, T limit, T delta) {
  constexpr std::int64_t kLimit = std::int64_t{1} << 40;
  const auto too_many = [] { return make_error(ErrorCode::kResource, "the range has more than 2^40 elements"); };
  if constexpr (std::is_floating_point_v<T>) {
    const double first = start, last = limit, step = delta;
    if (!std::isfinite(first) || !std::isfinite(last) || !std::isfinite(step) || step == 0)
      return bad_input("expected finite start, limit and delta with delta not 0, found {}, {}, {}", start, limit,
                       delta);
    const double count = std::ceil((last - first) / step);
    if (count > static_cast<double>(kLimit)) return too_many();
    return count > 0 ? static_cast<std::int64_t>(count) : 0;
  } else {
    if (delta == 0) return bad_input("operand delta: expected a value other than 0");
    const __int128 span = static_cast<__int128>(limit) - static_cast<__int128>(start), step = delta;
    const __int128 count = span / step + (span % step != 0 && (span < 0) == (step < 0) ? 1 : 0);
    if (count > kLimit) return too_many();
    return count > 0 ? static_cast<std::int64_t>(count) : 0;
  }
}

constexpr std::initializer_list<DType> kRangeTypes = {DType::kF32, DType::kF64, DType::kF16, DType::kBf16,
                                                      DType::kS16, DType::kS32, DType::kS64};
constexpr std::array<const char*, 3> kRangeOperands = {"start", "limit", "delta"};

// The extents that Shape with its attributes start and end selects of a rank: [first, second).
Result<std::pair<int, int>> selected_extents(const AttributeReader& attributes, int rank) {
  FOVEA_TRY(const std::int64_t start, attributes.integer("start", 0));
  FOVEA_TRY(const std::int64_t end, attributes.integer("end", rank));
  const auto clamped = [rank](std::int64_t at) {
    return static_cast<int>(std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank));
  };
  return std::pair(clamped(start), std::max(clamped(start), clamped(end)));
}

}  // namespace

Status infer_constant(InferContext& context) {
  FOVEA_TRY(const auto value, constant_value(context.attributes()));
  return add_output(context, value->dtype(), Shape(value->dims()));
}
Status evaluate_constant(EvalContext& context) {
  FOVEA_TRY(const auto value, constant_value(context.attributes()));
  context.outputs.push_back(*value);
  return {};
}

Status infer_constant_of_shape(InferContext& context) {
  FOVEA_TRY(const auto value, fill_value(context.attributes()));
  FOVEA_TRY(const auto extents, known_integers(context, 0, "shape"));
  const auto rank = extents ? static_cast<std::int64_t>(extents->size()) : known_length(context, 0);
  if (rank && *rank > kMaxRank)
    return unsupported("operand shape: {} dimensions; at most {} are supported", *rank, kMaxRank);
  if (!rank) return add_output(context, value->dtype(), Shape());
  if (!extents) return add_output(context, value->dtype(), Shape(std::vector<Dim>(static_cast<std::size_t>(*rank))));
  for (const std::int64_t extent : *extents)
    if (extent < 0) return bad_input("operand shape: expected extents of at least 0, found {}", to_string(*extents));
  return add_output(context, value->dtype(), Shape(*extents));
}
Status evaluate_constant_of_shape(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_constant_of_shape));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const auto value, fill_value(context.attributes()));
  copy_strided_to_dense({out.dims(), Dims(out.dims().size(), 0)}, *value, out);
  context.outputs.push_back(std::move(out));
  return {};
}

Status infer_range(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, kRangeOperands[0], kRangeTypes));
  bool known = true;
  for (int i = 0; i < 3; ++i) {
    const char* name = kRangeOperands[static_cast<std::size_t>(i)];
    FOVEA_RETURN_IF_ERROR(expect_same_type(context, i, name, 0, kRangeOperands[0]));
    if (const auto dims = context.shape(i).fixed(); dims && element_count(*dims) != 1)
      return bad_input("operand {}: expected one value, found {}", name, context.type(i).text());
    known = known && context.constant(i) && context.constant(i)->count() == 1;
  }
  const DType dtype = context.type(0).dtype;
  if (!known || dtype == DType::kF16 || dtype == DType::kBf16) return add_output(context, dtype, Shape{Dim()});
  return dispatch_numeric(dtype, [&](auto tag) -> Status {
    const auto operand = [&](int i) { return context.constant(i)->as<decltype(tag)>()[0]; };
    FOVEA_TRY(const std::int64_t count, range_count(operand(0), operand(1), operand(2)));
    return add_output(context, dtype, Shape{Dim(count)});
  });
}
Status evaluate_range(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_range));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_RETURN_IF_ERROR(dispatch_numeric(out.dtype(), [&](auto tag) -> Status {
    using T = decltype(tag);
    const T start = context.input(0).as<T>()[0], delta = context.input(2).as<T>()[0];
    std::int64_t i = 0;
    for (T& y : out.as<T>()) {
      if constexpr (std::is_integral_v<T>)
        y = static_cast<T>(static_cast<Wrapping>(start) + static_cast<Wrapping>(delta) * static_cast<Wrapping>(i++));
      else
        y = static_cast<T>(static_cast<double>(start) + static_cast<double>(delta) * static_cast<double>(i++));
    }
    return {};
  }));
  context.outputs.push_back(std::move(out));
  return {};
}

Status infer_shape(InferContext& context) {
  const Shape& input = context.shape(0);
  if (!input.is_ranked()) return add_output(context, DType::kS64, Shape{Dim()});
  FOVEA_TRY(const auto selected, selected_extents(context.attributes(), input.rank()));
  return add_output(context, DType::kS64, Shape{Dim(selected.second - selected.first)});
}
Status evaluate_shape(EvalContext& context) {
  const Dims& dims = context.input(0).dims();
  FOVEA_TRY(const auto selected, selected_extents(context.attributes(), static_cast<int>(dims.size())));
  const auto extents = std::span(dims).subspan(static_cast<std::size_t>(selected.first),
                                               static_cast<std::size_t>(selected.second - selected.first));
  context.outputs.push_back(Tensor::of<std::int64_t>({static_cast<std::int64_t>(extents.size())}, extents));
  return {};
}

Status infer_size(InferContext& context) { return add_output(context, DType::kS64, Shape(Dims{})); }
Status evaluate_size(EvalContext& context) {
  context.outputs.push_back(Tensor::scalar<std::int64_t>(context.input(0).count()));
  return {};
}

}  // namespace fovea::ops
