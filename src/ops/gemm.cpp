// Gemm: Y [M,N] = alpha * A' B' + beta * C, where A' and B' are A and B, transposed if transA and transB say so.
#include "ops/matrix.h"
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

struct GemmAttributes {
  bool trans_a = false, trans_b = false;
  float alpha = 1, beta = 1;
};

Result<GemmAttributes> read_gemm(const Node& node) {
  const AttributeReader reader(node);
  GemmAttributes out;
  FOVEA_TRY(const std::int64_t trans_a, reader.integer("transA", 0));
  FOVEA_TRY(const std::int64_t trans_b, reader.integer("transB", 0));
  FOVEA_TRY(out.alpha, reader.real("alpha", 1.0f));
  FOVEA_TRY(out.beta, reader.real("beta", 1.0f));
  out.trans_a = trans_a != 0;
  out.trans_b = trans_b != 0;
  return out;
}

// C broadcasts to [M,N] in one direction only.
Status check_addend(const InferContext& context, const Shape& output) {
  FOVEA_RETURN_IF_ERROR(expect_same_type(context, 2, "C", 0, "A"));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 2, "C", 0, 2));
  const Shape& c = context.shape(2);
  for (int i = 0; i < c.rank(); ++i) {
    const Dim& wanted = output[2 - c.rank() + i];
    if (!(c[i] == Dim(1)) && !c[i].may_equal(wanted))
      return bad_input("operand C: expected a shape that broadcasts to {}, found {}", output.text(),
                       context.type(2).text());
  }
  return {};
}

// The matrix as [rows, columns] in double, transposed on the way if asked.
std::vector<double> matrix_of(const Tensor& tensor, bool transposed) {
  std::vector<double> values = widened(tensor);
  if (!transposed) return values;
  const auto rows = static_cast<std::size_t>(tensor.dim(0)), columns = static_cast<std::size_t>(tensor.dim(1));
  std::vector<double> out(values.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < columns; ++c) out[c * rows + r] = values[r * columns + c];
  return out;
}

// Adds beta * C to y [m,n].
void add_broadcast(const Tensor& c, double beta, std::int64_t m, std::int64_t n, std::span<double> y) {
  const std::vector<double> addend = widened(c);
  const bool by_column = c.rank() >= 1 && c.dim(c.rank() - 1) != 1, by_row = c.rank() == 2 && c.dim(0) != 1;
  const std::int64_t row_stride = by_row ? (by_column ? n : 1) : 0;
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t j = 0; j < n; ++j)
      y[static_cast<std::size_t>(i * n + j)] +=
          beta * addend[static_cast<std::size_t>(i * row_stride + (by_column ? j : 0))];
}

}  // namespace

Status infer_gemm(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "A", kFloatTypes));
  FOVEA_RETURN_IF_ERROR(expect_type(context, 1, "B", kFloatTypes));
  FOVEA_RETURN_IF_ERROR(expect_same_type(context, 1, "B", 0, "A"));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 0, "A", 2, 2));
  FOVEA_RETURN_IF_ERROR(expect_rank(context, 1, "B", 2, 2));
  FOVEA_TRY(const GemmAttributes attributes, read_gemm(context.node()));
  const Shape &a = context.shape(0), &b = context.shape(1);
  Dim inner_a, inner_b;
  Shape output{Dim(), Dim()};
  if (a.is_ranked()) {
    output[0] = a[attributes.trans_a ? 1 : 0];
    inner_a = a[attributes.trans_a ? 0 : 1];
  }
  if (b.is_ranked()) {
    output[1] = b[attributes.trans_b ? 0 : 1];
    inner_b = b[attributes.trans_b ? 1 : 0];
  }
  if (!inner_a.may_equal(inner_b))
    return bad_input("operand B: expected inner extent {} as A {} has (transA {}, transB {}), found {}", inner_a.text(),
                     a.text(), int{attributes.trans_a}, int{attributes.trans_b}, b.text());
  if (context.has(2)) FOVEA_RETURN_IF_ERROR(check_addend(context, output));
  return add_output(context, context.type(0).dtype, std::move(output));
}

Status evaluate_gemm(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_gemm));
  FOVEA_TRY(const GemmAttributes attributes, read_gemm(context.node()));
  FOVEA_TRY(Tensor y, new_output(checked));
  const std::int64_t m = y.dim(0), n = y.dim(1), k = context.input(0).dim(attributes.trans_a ? 0 : 1);
  const std::vector<double> a = matrix_of(context.input(0), attributes.trans_a);
  const std::vector<double> b = matrix_of(context.input(1), attributes.trans_b);
  std::vector<double> product(static_cast<std::size_t>(m * n));
  multiply(m, k, n, a.data(), b.data(), product.data());
  for (double& value : product) value *= attributes.alpha;
  if (context.has(2)) add_broadcast(context.input(2), attributes.beta, m, n, product);
  store_floats(product, y);
  context.outputs.push_back(std::move(y));
  return {};
}

double macs_gemm(const InferContext& context) {
  const Shape& a = context.shape(0);
  const auto trans_a = context.attributes().integer("transA", 0);
  if (!a.is_ranked() || a.rank() != 2 || !trans_a.ok()) return 0;
  return elements_or_one(output_type(context, infer_gemm).shape) * extent_or_one(a[*trans_a != 0 ? 0 : 1]);
}

}  // namespace fovea::ops
