// lrn_pixels: local response normalisation across the channels of channels-last pixels.
#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/rowwise/rowwise.h"

namespace fovea::cpu {
namespace {

class LrnStep : public Step {
 public:
  LrnStep(const TacticQuery& query, const kernels::LrnArgs& args)
      : run_(kernels::select_rowwise(query.cpu).lrn_f32), args_(args),
        pixels_(element_count(query.input_dims(0)) / args.channels) {}
  void run(const StepContext& context) const override {
    kernels::LrnArgs args = args_;
    args.x = static_cast<const float*>(context.inputs[0]);
    args.y = static_cast<float*>(context.outputs[0]);
    context.pool.split(pixels_, 16, [&](std::int64_t begin, std::int64_t end) { run_(args, begin, end); });
  }

 private:
  void (*run_)(const kernels::LrnArgs&, std::int64_t, std::int64_t);
  kernels::LrnArgs args_;
  std::int64_t pixels_;
};

}  // namespace

Verdict lrn_pixels::applies(const TacticQuery& query) {
  if (query.output().type.dtype != DType::kF32) return Verdict::no("computes in {}", dtype_name(query.output().type.dtype));
  if (query.input(0).type.shape.rank() != 4) return Verdict::no("rank {}, for 4", query.input(0).type.shape.rank());
  return element_count(query.output_dims()) == 0 ? Verdict::no("empty result") : Verdict::yes();
}

TacticLayouts lrn_pixels::layouts(const TacticQuery& query) { return uniform_layouts(query, Layout::kChannelsLast); }
double lrn_pixels::cost_us(const TacticQuery& query) { return estimate_us(query, 1, 3, 0.5); }

Result<std::unique_ptr<Step>> lrn_pixels::build(const TacticQuery& query) {
  const AttributeReader attributes(query.node);
  kernels::LrnArgs args;
  args.channels = query.input_dims(0)[1];
  FOVEA_TRY(args.size, attributes.integer("size"));
  FOVEA_TRY(args.alpha, attributes.real("alpha", 1e-4f));
  FOVEA_TRY(args.beta, attributes.real("beta", 0.75f));
  FOVEA_TRY(args.bias, attributes.real("bias", 1.0f));
  return std::unique_ptr<Step>(std::make_unique<LrnStep>(query, args));
}

}  // namespace fovea::cpu
