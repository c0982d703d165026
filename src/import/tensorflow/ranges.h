// How TensorFlow's quantised tensors relate to real numbers: from the ranges that travel beside them.
//
// SCALED: number = byte * max(|min|, |max|) / 127 (signed) or / 255 (unsigned); oneDNN's convolutions mean this.
// MIN_FIRST: number = (byte - zero) * (max - min) / 255 with zero = lowest - round(min / scale).
// MIN_COMBINED: number = (byte - lowest) * (max - min) / 255 + min: a zero point only where that is a whole number.
#pragma once

#include "import/tensorflow/node_context.h"

namespace fovea::tensorflow_import {

struct Range {
  float min = 0, max = 0;
};

Result<Quantised> scaled(DType dtype, const Range& range);
Result<Quantised> min_first(DType dtype, const Range& range);
Result<Quantised> min_combined(DType dtype, const Range& range);
// By an operator's attribute `mode`.
Result<Quantised> by_mode(const std::string& mode, DType dtype, const Range& range);
// What an operator without a mode means by the range of its operand: SCALED, but MIN_FIRST for unsigned bytes that
// reach below 0.
Result<Quantised> operand_parameters(DType dtype, const Range& range);
// One range a channel, SCALED.
Result<Quantised> scaled_channels(DType dtype, const Tensor& min, const Tensor& max);

// Constant scalars at inputs `i` (min) and `i` + 1 (max).
Result<Range> range_at(NodeContext& node, int i);
// Hands the range over as outputs 1 and 2.
Status give_range(NodeContext& node, const Range& range);

bool same_parameters(const Quantised& a, const Quantised& b);
// QuantizeLinear and DequantizeLinear of `value`; the latter's value has the node's plain name, or with `suffix`.
ValueId round_trip(NodeContext& node, ValueId value, const Quantised& q, const std::string& suffix = "");
// Bytes of a constant.
Result<std::shared_ptr<const Tensor>> quantised_constant(const Tensor& values, const Quantised& q);
// Operand `i`, which the file has as bytes, as the numbers that `wanted` makes of them; channels first if `as_image`.
Result<ValueId> real_operand(NodeContext& node, int i, const Quantised& wanted, bool as_image);
// The type of the bytes of operand `i`.
Result<DType> byte_type(NodeContext& node, int i);

}  // namespace fovea::tensorflow_import
