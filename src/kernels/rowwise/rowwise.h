// Kernels along the last axis of fp32 rows: softmax, log-softmax, arg-max, local response normalisation.
//
// x is [rows][length], dense. All functions are pure, single-threaded over rows [row_begin, row_end), and thread-safe
// on disjoint ranges; a row's bytes do not depend on the range. Pointers need float alignment only; y may be x for
// softmax, not for LRN.
#pragma once

#include <cstdint>
#include <span>

namespace fovea {
enum class Isa : int;
struct CpuFeatures;
}  // namespace fovea

namespace fovea::kernels {

// y = e^(x - max) / sum, or x - max - log(sum). A row that holds a NaN, a +inf, or nothing but -inf, gives NaN
// throughout. Sums are taken in an order that depends on the ISA: results differ by its rounding.
struct SoftmaxArgs {
  std::int64_t length = 0;  // at least 1
  bool logarithm = false;
  const float* x = nullptr;
  float* y = nullptr;
};

// index[row] = position of the largest element, the first (or last) of equals. NaNs are passed over; 0 for a row of
// NaNs.
struct ArgMaxArgs {
  std::int64_t length = 0;  // at least 1
  bool last = false;
  const float* x = nullptr;
  std::int64_t* index = nullptr;
};

// ONNX LRN over channels-last pixels (rows): y = x / (bias + alpha / size * sum of squares)^beta, the sum over channels
// c - floor((size - 1) / 2) to c + ceil((size - 1) / 2), ascending. beta of 0.5, 0.75 and 1 by square roots, others by
// exp and log (error below 1e-6 * beta * |log base|).
struct LrnArgs {
  std::int64_t channels = 0;  // at least 1
  std::int64_t size = 1;      // at least 1
  float alpha = 1e-4f;
  float beta = 0.75f;
  float bias = 1.0f;
  const float* x = nullptr;
  float* y = nullptr;
};

struct RowwiseKernels {
  Isa isa;
  const char* name;
  void (*softmax_f32)(const SoftmaxArgs& args, std::int64_t row_begin, std::int64_t row_end);
  void (*argmax_f32)(const ArgMaxArgs& args, std::int64_t row_begin, std::int64_t row_end);
  void (*lrn_f32)(const LrnArgs& args, std::int64_t row_begin, std::int64_t row_end);
};

// Every row of kernels.inc, best first.
std::span<const RowwiseKernels> rowwise_kernels();
// The first row whose ISA `cpu` has. Always finds one.
const RowwiseKernels& select_rowwise(const CpuFeatures& cpu);

#define KERNELS(isa, suffix)                                                 \
  void softmax_f32_##suffix(const SoftmaxArgs&, std::int64_t, std::int64_t); \
  void argmax_f32_##suffix(const ArgMaxArgs&, std::int64_t, std::int64_t);   \
  void lrn_f32_##suffix(const LrnArgs&, std::int64_t, std::int64_t);
#include "kernels/rowwise/kernels.inc"
#undef KERNELS

}  // namespace fovea::kernels
