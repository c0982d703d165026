// Matrix products behind Gemm, MatMul, MatMulInteger and QLinearMatMul: numpy's shape rule and the sums.
#pragma once

#include <algorithm>

#include "ops/op_spec.h"

namespace fovea::ops {

// Operands of numpy's matmul as stacks of matrices. A one-dimensional operand counts as a row (a) or a column (b), and
// that axis is missing in the output.
struct MatMulGeometry {
  std::int64_t m = 1, k = 1, n = 1;
  std::vector<std::int64_t> a_matrices, b_matrices;  // for every output matrix, the one of a and of b it is made from
};

// Checks that the inner extents and the broadcast of the outer ones fit; returns the output's shape.
Result<Shape> infer_matrix_product(const InferContext& context, int a, int b);
// For concrete extents that infer_matrix_product accepted.
Result<MatMulGeometry> resolve_matrix_product(const Dims& a, const Dims& b);

// MACs: elements of the output times the inner extent of `a`; open extents count as 1.
double matrix_product_macs(const Shape& a, const Shape& output);

// c [m,n] = a [m,k] * b [k,n], all row-major, summed in T in the order of k.
template <class T>
void multiply(std::int64_t m, std::int64_t k, std::int64_t n, const T* a, const T* b, T* c) {
  std::fill_n(c, m * n, T{});
  for (std::int64_t i = 0; i < m; ++i)
    for (std::int64_t p = 0; p < k; ++p) {
      const T factor = a[i * k + p];
      const T* row = b + p * n;
      T* out = c + i * n;
      for (std::int64_t j = 0; j < n; ++j) out[j] += factor * row[j];
    }
}

}  // namespace fovea::ops
