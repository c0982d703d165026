#include "ops/element_types.h"
#include "ops/numeric_dispatch.h"
#include "ops/op_functions.h"
#include "ops/operands.h"

namespace fovea::ops {
namespace {

constexpr const char* kBoundNames[] = {"X", "min", "max"};

}  // namespace

Status infer_clip(InferContext& context) {
  FOVEA_RETURN_IF_ERROR(expect_type(context, 0, "X", kNumericTypes));
  for (int i = 1; i < 3; ++i) {
    if (!context.has(i)) continue;
    FOVEA_RETURN_IF_ERROR(expect_same_type(context, i, kBoundNames[i], 0, "X"));
    if (const auto dims = context.shape(i).fixed(); dims && element_count(*dims) != 1)
      return bad_input("operand {}: expected one value, found {}", kBoundNames[i], context.type(i).text());
  }
  return add_output(context, context.type(0).dtype, context.shape(0));
}

Status evaluate_clip(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_clip));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_RETURN_IF_ERROR(dispatch_numeric(out.dtype(), [&](auto tag) -> Status {
    using T = decltype(tag);
    const T* low = context.has(1) ? context.input(1).as<T>().data() : nullptr;
    const T* high = context.has(2) ? context.input(2).as<T>().data() : nullptr;
    const auto x = context.input(0).as<T>();
    const auto y = out.as<T>();
    // min(max(x, low), high): where low > high, high wins; NaN stays NaN.
    for (std::size_t i = 0; i < x.size(); ++i) {
      T v = x[i];
      if (low && v < *low) v = *low;
      if (high && v > *high) v = *high;
      y[i] = v;
    }
    return {};
  }));
  context.outputs.push_back(std::move(out));
  return {};
}

}  // namespace fovea::ops
