// cast_bf16: between f32 and bf16, the edges of a bf16 network.
#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/convert/convert.h"

namespace fovea::cpu {
namespace {

class CastStep : public Step {
 public:
  explicit CastStep(const TacticQuery& query)
      : kernels_(kernels::select_convert(query.cpu)), count_(element_count(query.output_dims())), to_bf16_(is_bf16(query.output())) {}
  void run(const StepContext& context) const override {
    context.pool.split(count_, kEltwiseGrain, [&](std::int64_t begin, std::int64_t end) {
      if (to_bf16_)
        kernels_.f32_to_bf16(static_cast<const float*>(context.inputs[0]), static_cast<std::uint16_t*>(context.outputs[0]), begin, end);
      else
        kernels_.bf16_to_f32(static_cast<const std::uint16_t*>(context.inputs[0]), static_cast<float*>(context.outputs[0]), begin, end);
    });
  }

 private:
  const kernels::ConvertKernels& kernels_;
  std::int64_t count_;
  bool to_bf16_;
};

}  // namespace

Verdict cast_bf16::applies(const TacticQuery& query) {
  const DType from = query.input(0).type.dtype, to = query.output().type.dtype;
  const bool ours = (from == DType::kF32 && to == DType::kBf16) || (from == DType::kBf16 && to == DType::kF32);
  return ours ? Verdict::yes() : Verdict::no("{} to {}", dtype_name(from), dtype_name(to));
}
TacticLayouts cast_bf16::layouts(const TacticQuery& query) { return uniform_layouts(query, query.output().layout); }
double cast_bf16::cost_us(const TacticQuery& query) { return estimate_us(query, 1, 15, 0.5); }
Result<std::unique_ptr<Step>> cast_bf16::build(const TacticQuery& query) {
  return std::unique_ptr<Step>(std::make_unique<CastStep>(query));
}

}  // namespace fovea::cpu
