// MatMulInteger and QLinearMatMul: products of 8-bit matrices with exact sums.
#include "ops/matrix.h"
#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/quantisation.h"

namespace fovea::ops {
namespace {

// Whether a parameter belongs to the rows or to the columns of its matrices.
enum class Lines { kRows, kColumns };

// A scale or zero point: one value, one a line, or one a line of every matrix (the operand's extents with the other
// matrix axis 1).
Status expect_line_parameter(const InferContext& context, int i, std::string_view name, const Shape& of, Lines lines) {
  const Shape& shape = context.shape(i);
  if (is_single_element(shape) || !shape.is_ranked() || !of.is_ranked()) return {};
  const bool rows = lines == Lines::kRows;
  const std::string_view meaning = rows ? "one value, or one a row" : "one value, or one a column";
  if (of.rank() < 2) return expect_shape(context, i, name, Shape{Dim(1)}, "one value for a vector");
  const int line_axis = of.rank() - (rows ? 2 : 1);
  if (shape.rank() == 1) return expect_shape(context, i, name, {of[line_axis]}, meaning);
  Shape expected = of;
  expected[of.rank() - (rows ? 1 : 2)] = Dim(1);
  return expect_shape(context, i, name, expected, meaning);
}

Status expect_zero_point(const InferContext& context, int i, std::string_view name, int of, std::string_view of_name,
                         Lines lines) {
  if (!context.has(i)) return {};
  FOVEA_RETURN_IF_ERROR(expect_same_type(context, i, name, of, of_name));
  return expect_line_parameter(context, i, name, context.shape(of), lines);
}

Status expect_scale(const InferContext& context, int i, std::string_view name, const Shape& of, Lines lines) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, i, name, {DType::kF32, DType::kF16, DType::kBf16}));
  return expect_line_parameter(context, i, name, of, lines);
}

// Looks a parameter's value up by matrix and line.
class LineParameter {
 public:
  // `lines`: how many lines a matrix of the operand has.
  LineParameter(const Tensor* tensor, double fallback, std::int64_t lines)
      : values_(tensor ? widened(*tensor) : std::vector<double>{fallback}),
        line_stride_(values_.size() > 1 ? 1 : 0),
        matrix_stride_(tensor && tensor->rank() > 1 && values_.size() > 1 ? lines : 0) {}
  double at(std::int64_t matrix, std::int64_t line) const {
    return values_[static_cast<std::size_t>(matrix * matrix_stride_ + line * line_stride_)];
  }

 private:
  std::vector<double> values_;
  std::int64_t line_stride_, matrix_stride_;
};

// Calls sink(i, product) with every output matrix of (a - a_zero) * (b - b_zero).
template <class Sink>
void for_each_product(const MatMulGeometry& geometry, const Tensor& a, const Tensor& b, const LineParameter& a_zero,
                      const LineParameter& b_zero, Sink&& sink) {
  const auto& [m, k, n, a_matrices, b_matrices] = geometry;
  std::vector<double> left(static_cast<std::size_t>(m * k)), right(static_cast<std::size_t>(k * n));
  std::vector<double> product(static_cast<std::size_t>(m * n));
  for (std::size_t i = 0; i < a_matrices.size(); ++i) {
    widen(a, a_matrices[i] * m * k, m * k, left.data());
    widen(b, b_matrices[i] * k * n, k * n, right.data());
    for (std::int64_t r = 0; r < m; ++r)
      for (std::int64_t p = 0; p < k; ++p) left[static_cast<std::size_t>(r * k + p)] -= a_zero.at(a_matrices[i], r);
    for (std::int64_t p = 0; p < k; ++p)
      for (std::int64_t c = 0; c < n; ++c) right[static_cast<std::size_t>(p * n + c)] -= b_zero.at(b_matrices[i], c);
    multiply(m, k, n, left.data(), right.data(), product.data());
    sink(i, std::span<double>(product));
  }
}

const Tensor* optional_input(const EvalContext& context, int i) { return context.has(i) ? &context.input(i) : nullptr; }

enum QLinearInput { kA, kAScale, kAZeroPoint, kB, kBScale, kBZeroPoint, kYScale, kYZeroPoint };

}  // namespace

Status infer_matmul_integer(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "A", kByteTypes));
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "B", kByteTypes));
  FOVEA_TRY(Shape output, infer_matrix_product(context, 0, 1));
  FOVEA_RETURN_IF_ERROR(expect_zero_point(context, 2, "a_zero_point", 0, "A", Lines::kRows));
  FOVEA_RETURN_IF_ERROR(expect_zero_point(context, 3, "b_zero_point", 1, "B", Lines::kColumns));
  return add_output(context, DType::kS32, std::move(output));
}

Status evaluate_matmul_integer(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_matmul_integer));
  FOVEA_TRY(Tensor y, new_output(checked));
  const Tensor &a = context.input(0), &b = context.input(1);
  FOVEA_TRY(const MatMulGeometry geometry, resolve_matrix_product(a.dims(), b.dims()));
  const LineParameter a_zero(optional_input(context, 2), 0, geometry.m);
  const LineParameter b_zero(optional_input(context, 3), 0, geometry.n);
  for_each_product(geometry, a, b, a_zero, b_zero, [&](std::size_t i, std::span<double> product) {
    store_integers(product, y, static_cast<std::int64_t>(i * product.size()));
  });
  context.outputs.push_back(std::move(y));
  return {};
}

double macs_matmul_integer(const InferContext& context) {
  return matrix_product_macs(context.shape(0), output_type(context, infer_matmul_integer).shape);
}

Status infer_qlinear_matmul(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, kA, "a", kByteTypes));
  FOVEA_RETURN_IF_ERROR(expect_type(context, kB, "b", kByteTypes));
  FOVEA_TRY(Shape output, infer_matrix_product(context, kA, kB));
  FOVEA_RETURN_IF_ERROR(expect_scale(context, kAScale, "a_scale", context.shape(kA), Lines::kRows));
  FOVEA_RETURN_IF_ERROR(expect_zero_point(context, kAZeroPoint, "a_zero_point", kA, "a", Lines::kRows));
  FOVEA_RETURN_IF_ERROR(expect_scale(context, kBScale, "b_scale", context.shape(kB), Lines::kColumns));
  FOVEA_RETURN_IF_ERROR(expect_zero_point(context, kBZeroPoint, "b_zero_point", kB, "b", Lines::kColumns));
  // With a vector operand the last axes of the output are not rows and columns.
  const bool has_vector = context.shape(kA).rank() == 1 || context.shape(kB).rank() == 1;
  const Shape matrices = has_vector ? Shape{Dim(1)} : output;
  FOVEA_RETURN_IF_ERROR(expect_scale(context, kYScale, "y_scale", matrices, Lines::kRows));
  FOVEA_RETURN_IF_ERROR(expect_type(context, kYZeroPoint, "y_zero_point", kByteTypes));
  FOVEA_RETURN_IF_ERROR(expect_line_parameter(context, kYZeroPoint, "y_zero_point", matrices, Lines::kRows));
  return add_output(context, context.type(kYZeroPoint).dtype, std::move(output));
}

Status evaluate_qlinear_matmul(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_qlinear_matmul));
  FOVEA_TRY(Tensor y, new_output(checked));
  const Tensor &a = context.input(kA), &b = context.input(kB);
  FOVEA_TRY(const MatMulGeometry geometry, resolve_matrix_product(a.dims(), b.dims()));
  const std::int64_t m = geometry.m, n = geometry.n;
  const LineParameter a_zero(optional_input(context, kAZeroPoint), 0, m), a_scale(&context.input(kAScale), 1, m);
  const LineParameter b_zero(optional_input(context, kBZeroPoint), 0, n), b_scale(&context.input(kBScale), 1, n);
  const LineParameter y_zero(optional_input(context, kYZeroPoint), 0, m), y_scale(&context.input(kYScale), 1, m);
  const IntegerRange range = range_of(y.dtype());
  for_each_product(geometry, a, b, a_zero, b_zero, [&](std::size_t i, std::span<double> product) {
    const auto matrix = static_cast<std::int64_t>(i);
    for (std::int64_t r = 0; r < m; ++r)
      for (std::int64_t c = 0; c < n; ++c) {
        const double scale = a_scale.at(geometry.a_matrices[i], r) * b_scale.at(geometry.b_matrices[i], c);
        double& value = product[static_cast<std::size_t>(r * n + c)];
        value = quantised(value * (scale / y_scale.at(matrix, r)), y_zero.at(matrix, r), range);
      }
    store_integers(product, y, matrix * m * n);
  });
  context.outputs.push_back(std::move(y));
  return {};
}

double macs_qlinear_matmul(const InferContext& context) {
  return matrix_product_macs(context.shape(kA), output_type(context, infer_qlinear_matmul).shape);
}

}  // namespace fovea::ops
