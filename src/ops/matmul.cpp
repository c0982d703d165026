// MatMul with numpy's broadcasting, for floats (summed in double) and integers (modulo 2^bits).
#include "ops/matrix.h"
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

// Products of all matrix pairs, each operand's matrix as T by read(tensor, begin, count, out).
template <class T, class Read, class Store>
void multiply_all(const MatMulGeometry& geometry, const Tensor& a, const Tensor& b, Read&& read, Store&& store) {
  const auto& [m, k, n, a_matrices, b_matrices] = geometry;
  std::vector<T> left(static_cast<std::size_t>(m * k)), right(static_cast<std::size_t>(k * n));
  std::vector<T> product(static_cast<std::size_t>(m * n));
  for (std::size_t i = 0; i < a_matrices.size(); ++i) {
    if (i == 0 || a_matrices[i] != a_matrices[i - 1]) read(a, a_matrices[i] * m * k, m * k, left.data());
    if (i == 0 || b_matrices[i] != b_matrices[i - 1]) read(b, b_matrices[i] * k * n, k * n, right.data());
    multiply(m, k, n, left.data(), right.data(), product.data());
    store(product, static_cast<std::int64_t>(i) * m * n);
  }
}

// Unsigned arithmetic wraps around, and its low bits are those of the signed result.
void multiply_integers(const MatMulGeometry& geometry, const Tensor& a, const Tensor& b, Tensor& y) {
  dispatch(y.dtype(), [&](auto tag) {
    using T = decltype(tag);
    if constexpr (std::is_integral_v<T> && sizeof(T) >= 4) {
      const auto read = [](const Tensor& tensor, std::int64_t begin, std::int64_t count, std::uint64_t* out) {
        const T* from = tensor.as<T>().data() + begin;
        for (std::int64_t i = 0; i < count; ++i) out[i] = static_cast<std::uint64_t>(from[i]);
      };
      const auto store = [&](const std::vector<std::uint64_t>& product, std::int64_t begin) {
        T* out = y.as<T>().data() + begin;
        for (std::size_t i = 0; i < product.size(); ++i) out[i] = static_cast<T>(product[i]);
      };
      multiply_all<std::uint64_t>(geometry, a, b, read, store);
    } else {
      throw CheckFailure("multiply_integers: type");
    }
  });
}

}  // namespace

Status infer_matmul(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(
      context, 0, "A",
      {DType::kF32, DType::kF64, DType::kF16, DType::kBf16, DType::kS32, DType::kU32, DType::kS64, DType::kU64}));
  FOVEA_RETURN_IF_ERROR(expect_same_type(context, 1, "B", 0, "A"));
  FOVEA_TRY(Shape output, infer_matrix_product(context, 0, 1));
  return add_output(context, context.type(0).dtype, std::move(output));
}

Status evaluate_matmul(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_matmul));
  FOVEA_TRY(Tensor y, new_output(checked));
  const Tensor &a = context.input(0), &b = context.input(1);
  FOVEA_TRY(const MatMulGeometry geometry, resolve_matrix_product(a.dims(), b.dims()));
  if (is_float(y.dtype()))
    multiply_all<double>(geometry, a, b, widen, [&](const std::vector<double>& product, std::int64_t begin) {
      store_floats(product, y, begin);
    });
  else
    multiply_integers(geometry, a, b, y);
  context.outputs.push_back(std::move(y));
  return {};
}

double macs_matmul(const InferContext& context) {
  return matrix_product_macs(context.shape(0), output_type(context, infer_matmul).shape);
}

}  // namespace fovea::ops
