// scale_shift: a BatchNormalization that no convolution could take, as one multiply-add a channel.
#include <cmath>

#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/eltwise/eltwise.h"

namespace fovea::cpu {
namespace {

class ScaleShiftStep : public Step {
 public:
  ScaleShiftStep(const TacticQuery& query, float epsilon) : count_(element_count(query.output_dims())) {
    const auto gamma = query.constant(1)->to_floats(), beta = query.constant(2)->to_floats();
    const auto mean = query.constant(3)->to_floats(), variance = query.constant(4)->to_floats();
    for (std::size_t c = 0; c < gamma.size(); ++c) {
      const double scale = gamma[c] / std::sqrt(static_cast<double>(variance[c]) + static_cast<double>(epsilon));
      scale_.push_back(static_cast<float>(scale));
      shift_.push_back(static_cast<float>(beta[c] - scale * mean[c]));
    }
    const Dims dims = query.output_dims();
    Dims channel_dims(dims.size(), 1);
    channel_dims[1] = dims[1];
    broadcast_ = *broadcast_of(channel_dims, dims, query.output().layout);
    const auto& kernels = kernels::select_eltwise(query.cpu);
    run_ = is_bf16(query.output()) ? kernels.scale_shift_bf16 : kernels.scale_shift_f32;
  }
  void run(const StepContext& context) const override {
    const kernels::ScaleShiftArgs args{broadcast_, {}, context.inputs[0], scale_.data(), shift_.data(), context.outputs[0]};
    context.pool.split(count_, kEltwiseGrain, [&](std::int64_t begin, std::int64_t end) { run_(args, begin, end); });
  }

 private:
  std::int64_t count_;
  std::vector<float> scale_, shift_;
  kernels::Broadcast broadcast_;
  kernels::ScaleShiftFunction run_;
};

}  // namespace

Verdict scale_shift::applies(const TacticQuery& query) {
  Verdict verdict = check_float(query.output());
  if (!verdict.applies) return verdict;
  for (int i = 1; i < 5; ++i)
    if (!query.constant(i)) return Verdict::no("statistics are not constant");
  const Dims dims = query.output_dims();
  if (dims.size() < 2) return Verdict::no("rank {}", dims.size());
  Dims channel_dims(dims.size(), 1);
  channel_dims[1] = dims[1];
  const auto broadcast = broadcast_of(channel_dims, dims, query.output().layout);
  if (!broadcast || broadcast->kind == kernels::Operand::kSame) return Verdict::no("one element a channel");
  for (std::size_t i = 1; i < query.node.outputs.size(); ++i)
    if (query.node.outputs[i] != kNoValue) return Verdict::no("training outputs");
  return Verdict::yes();
}

TacticLayouts scale_shift::layouts(const TacticQuery& query) { return uniform_layouts(query, query.output().layout); }
double scale_shift::cost_us(const TacticQuery& query) { return estimate_us(query, 1, 15, 0.5); }

Result<std::unique_ptr<Step>> scale_shift::build(const TacticQuery& query) {
  FOVEA_TRY(const float epsilon, AttributeReader(query.node).real("epsilon", 1e-5f));
  return std::unique_ptr<Step>(std::make_unique<ScaleShiftStep>(query, epsilon));
}

}  // namespace fovea::cpu
