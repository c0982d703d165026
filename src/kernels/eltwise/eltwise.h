// Element-wise arithmetic and activations on fp32 and bfloat16: one or two operands, and scale + shift a channel.
//
// All functions are pure, single-threaded over the element range [begin, end) of one contiguous tensor, and thread-safe
// on disjoint ranges. Every element is computed alone: the bytes do not depend on how a tensor is cut into ranges.
// Pointers need the alignment of their element only; y may be x or a kSame operand (in place), and must not overlap
// them otherwise. bfloat16 tensors are 16-bit patterns, computed in fp32 and rounded to nearest even once, at the end.
// add, sub, mul, div, min, max, abs, neg, sqrt, reciprocal, floor, ceil and round give the same bits on every ISA, the
// rest the same bits on AVX2 and AVX-512 and the errors of kernels/vector_math.h on all. NaN: a NaN operand gives NaN
// (min, max and all activations included); its payload and sign are unspecified.
#pragma once

#include <cstdint>
#include <span>

#include "kernels/broadcast.h"
#include "kernels/epilogue.h"

namespace fovea {
enum class Isa : int;
struct CpuFeatures;
}  // namespace fovea

namespace fovea::kernels {

enum class BinaryOp : std::int32_t {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kMin,
  kMax,
  kReverseSub,  // b - a
  kReverseDiv,  // b / a
  kPrelu,       // a < 0 ? a * b : a
};

// y = activation(a op b); a and y are the large tensors, b is addressed by `broadcast`. Where the operand to be
// broadcast is the left one, swap and use the reversed operator.
struct BinaryArgs {
  BinaryOp op = BinaryOp::kAdd;
  Broadcast broadcast;
  Epilogue epilogue;
  const void* a = nullptr;
  const void* b = nullptr;
  void* y = nullptr;
};

enum class UnaryOp : std::int32_t {
  kActivation,  // that of `epilogue`
  kExp,
  kLog,
  kSqrt,
  kReciprocal,
  kAbs,
  kNeg,
  kFloor,
  kCeil,
  kRound,  // half to even
  kErf,
  kGelu,  // with erf
  kElu,   // x < 0 ? epilogue.a * (e^x - 1) : x
  kSoftplus,
};

struct UnaryArgs {
  UnaryOp op = UnaryOp::kActivation;
  Epilogue epilogue;  // of kActivation; its `a` is the alpha of kElu
  const void* x = nullptr;
  void* y = nullptr;
};

// y = activation(x * scale[c] + shift[c]), fused; scale and shift are fp32 for either element type and addressed by
// `broadcast` (not kSame). A folded batch normalisation.
struct ScaleShiftArgs {
  Broadcast broadcast;
  Epilogue epilogue;
  const void* x = nullptr;
  const float* scale = nullptr;
  const float* shift = nullptr;
  void* y = nullptr;
};

using BinaryFunction = void (*)(const BinaryArgs& args, std::int64_t begin, std::int64_t end);
using UnaryFunction = void (*)(const UnaryArgs& args, std::int64_t begin, std::int64_t end);
using ScaleShiftFunction = void (*)(const ScaleShiftArgs& args, std::int64_t begin, std::int64_t end);

struct EltwiseKernels {
  Isa isa;
  const char* name;
  BinaryFunction binary_f32, binary_bf16;
  UnaryFunction unary_f32, unary_bf16;
  ScaleShiftFunction scale_shift_f32, scale_shift_bf16;
};

// Every row of kernels.inc, best first.
std::span<const EltwiseKernels> eltwise_kernels();
// The first row whose ISA `cpu` has. Always finds one.
const EltwiseKernels& select_eltwise(const CpuFeatures& cpu);

#define KERNELS(isa, suffix)                                                        \
  void binary_f32_##suffix(const BinaryArgs&, std::int64_t, std::int64_t);          \
  void binary_bf16_##suffix(const BinaryArgs&, std::int64_t, std::int64_t);         \
  void unary_f32_##suffix(const UnaryArgs&, std::int64_t, std::int64_t);            \
  void unary_bf16_##suffix(const UnaryArgs&, std::int64_t, std::int64_t);           \
  void scale_shift_f32_##suffix(const ScaleShiftArgs&, std::int64_t, std::int64_t); \
  void scale_shift_bf16_##suffix(const ScaleShiftArgs&, std::int64_t, std::int64_t);
#include "kernels/eltwise/kernels.inc"
#undef KERNELS

}  // namespace fovea::kernels
