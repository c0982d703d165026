// Declares the functions behind every row of ops.inc; each operator's file defines its own.
#pragma once

#include "ops/op_spec.h"

namespace fovea::ops {

#define OP(name, stem, min_in, max_in, min_out, max_out) \
  Status infer_##stem(InferContext&);                    \
  Status evaluate_##stem(EvalContext&);                  \
  double macs_##stem(const InferContext&);
#define OP_FREE(name, stem, min_in, max_in, min_out, max_out) \
  Status infer_##stem(InferContext&);                         \
  Status evaluate_##stem(EvalContext&);
#include "ops/ops.inc"
#undef OP
#undef OP_FREE

}  // namespace fovea::ops
