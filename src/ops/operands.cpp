#include "ops/operands.h"

#include <algorithm>
#include <type_traits>

namespace fovea::ops {
namespace {

constexpr std::int64_t kMaxResultElements = std::int64_t{1} << 27;

std::string names_of(std::initializer_list<DType> types) {
  std::string out;
  for (const DType d : types) out += (out.empty() ? "" : ", ") + std::string(dtype_name(d));
  return out;
}

Status expect_present(const InferContext& context, int i, std::string_view name) {
  if (!context.has(i)) return bad_input("operand {}: missing", name);
  return {};
}

}  // namespace

Status expect_type(const InferContext& context, int i, std::string_view name, std::initializer_list<DType> allowed) {
  FOVEA_RETURN_IF_ERROR(expect_present(context, i, name));
  if (const auto dims = context.shape(i).fixed())
    if (const auto count = checked_element_count(*dims); !count.ok())
      return Error(count.error()).within(fmt::format("operand {}", name));
  const DType found = context.type(i).dtype;
  if (std::find(allowed.begin(), allowed.end(), found) != allowed.end()) return {};
  return bad_input("operand {}: expected type {}, found {}", name, names_of(allowed), context.type(i).text());
}

Status expect_same_type(const InferContext& context, int i, std::string_view name, int as, std::string_view as_name) {
  FOVEA_RETURN_IF_ERROR(expect_present(context, i, name));
  FOVEA_RETURN_IF_ERROR(expect_present(context, as, as_name));
  if (context.type(i).dtype == context.type(as).dtype) return {};
  return bad_input("operand {}: expected type {} as {} has, found {}", name, dtype_name(context.type(as).dtype),
                   as_name, context.type(i).text());
}

Status expect_rank(const InferContext& context, int i, std::string_view name, int min_rank, int max_rank) {
  FOVEA_RETURN_IF_ERROR(expect_present(context, i, name));
  const Shape& shape = context.shape(i);
  if (!shape.is_ranked() || (shape.rank() >= min_rank && shape.rank() <= max_rank)) return {};
  if (min_rank == max_rank)
    return bad_input("operand {}: expected rank {}, found {}", name, min_rank, context.type(i).text());
  return bad_input("operand {}: expected rank {} to {}, found {}", name, min_rank, max_rank, context.type(i).text());
}

Status expect_shape(const InferContext& context, int i, std::string_view name, const Shape& expected,
                    std::string_view meaning) {
  FOVEA_RETURN_IF_ERROR(expect_present(context, i, name));
  if (context.shape(i).may_equal(expected)) return {};
  return bad_input("operand {}: expected {} ({}), found {}", name, expected.text(), meaning, context.type(i).text());
}

bool is_single_element(const Shape& shape) {
  return shape.is_ranked() && (shape.rank() == 0 || (shape.rank() == 1 && shape[0] == Dim(1)));
}

Result<int> resolve_axis(std::string_view name, std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank)
    return bad_input("{}: expected a value in [{}, {}), found {}", name, -rank, rank, axis);
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Status add_output(InferContext& context, DType dtype, Shape shape) {
  if (shape.rank() > kMaxRank)
    return unsupported("a result of {} dimensions; at most {} are supported", shape.rank(), kMaxRank);
  if (const auto dims = shape.fixed()) {
    if (const auto count = checked_element_count(*dims); !count.ok()) return count.error();
  }
  context.outputs.push_back({dtype, std::move(shape)});
  return {};
}

Result<InferContext> checked_for_evaluation(const EvalContext& context, Status (*infer)(InferContext&)) {
  std::vector<InferContext::Operand> operands;
  for (int i = 0; i < context.input_count(); ++i) {
    if (context.has(i))
      operands.push_back({context.input(i).type(), &context.input(i), true});
    else
      operands.emplace_back();
  }
  InferContext checked(context.node(), std::move(operands));
  FOVEA_RETURN_IF_ERROR(infer(checked));
  return checked;
}

Result<Tensor> new_output(const InferContext& checked, int i) {
  FOVEA_CHECK(i < static_cast<int>(checked.outputs.size()));
  const TensorType& type = checked.outputs[static_cast<std::size_t>(i)];
  const auto dims = type.shape.fixed();
  if (!dims) return bad_input("output {}: its shape {} is open", i, type.shape.text());
  Dims nonempty = *dims;  // an empty batch must not hide the size of its images
  for (std::int64_t& extent : nonempty) extent = extent == 0 ? 1 : extent;
  FOVEA_TRY(const std::int64_t count, checked_element_count(nonempty));
  if (count > kMaxResultElements)
    return make_error(ErrorCode::kResource, "output {}: {} has more than the {} elements that the reference evaluates",
                      i, type.text(), kMaxResultElements);
  return Tensor(type.dtype, *dims);
}

void widen(const Tensor& tensor, std::int64_t begin, std::int64_t count, double* out) {
  FOVEA_CHECK(begin >= 0 && count >= 0 && begin + count <= tensor.count());
  dispatch(tensor.dtype(), [&](auto tag) {
    using T = decltype(tag);
    const T* from = tensor.as<T>().data() + begin;
    for (std::int64_t i = 0; i < count; ++i) {
      if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Bf16>)
        out[i] = static_cast<float>(from[i]);
      else
        out[i] = static_cast<double>(from[i]);
    }
  });
}

std::vector<double> widened(const Tensor& tensor) {
  std::vector<double> out(static_cast<std::size_t>(tensor.count()));
  widen(tensor, 0, tensor.count(), out.data());
  return out;
}

void store_floats(std::span<const double> values, Tensor& tensor, std::int64_t begin) {
  FOVEA_CHECK(begin >= 0 && begin + static_cast<std::int64_t>(values.size()) <= tensor.count());
  if (tensor.dtype() == DType::kF64) {
    std::copy(values.begin(), values.end(), tensor.as<double>().begin() + begin);
    return;
  }
  const auto out = tensor.as<float>();
  for (std::size_t i = 0; i < values.size(); ++i)
    out[static_cast<std::size_t>(begin) + i] = static_cast<float>(values[i]);
}

double extent_or_one(const Dim& dim) { return dim.is_fixed() ? static_cast<double>(dim.extent()) : 1.0; }

double elements_or_one(const Shape& shape, int first_axis) {
  double n = 1;
  for (int axis = first_axis; axis < shape.rank(); ++axis) n *= extent_or_one(shape[axis]);
  return n;
}

TensorType output_type(const InferContext& context, Status (*infer)(InferContext&), int i) {
  const auto index = static_cast<std::size_t>(i);
  if (index < context.outputs.size()) return context.outputs[index];
  InferContext anew = context;
  if (!infer(anew).ok() || index >= anew.outputs.size()) return {};
  return anew.outputs[index];
}

}  // namespace fovea::ops
