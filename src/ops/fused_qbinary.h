// FusedQBinary: a sum or product of two quantised tensors with activation and requantisation in one.
#pragma once

#include "ops/activation.h"
#include "ops/fused_qconv.h"

namespace fovea {

// Fovea's own target operator, never saved to a file.
//   inputs   A u8; B u8 of A's shape, or [N,C,1,1] or [1,C,1,1] for an A of [N,C,H,W]: one value a channel
//   output   Y u8 of A's shape: saturate(round half to even(activation(f(a, b)) / y_scale) + y_zero_point),
//            with a = (A - a_zero_point) * a_scale, b likewise, f their sum or product
// Attributes: function ("add" or "mul"), a_scale, a_zero_point, b_scale, b_zero_point, y_scale, y_zero_point, and an
// activation: none, relu or clip.
struct FusedQBinary {
  enum class Function { kAdd, kMul };
  Function function = Function::kAdd;
  Quantised a, b, y;
  Activation activation;
};

Result<FusedQBinary> read_fused_qbinary(const Node& node);
void write_fused_qbinary(const FusedQBinary& binary, Attributes& attributes);

}  // namespace fovea
