#include "backends/onednn/narrowed_step.h"

#include <algorithm>
#include <array>

#include "backends/onednn/operands.h"
#include "base/aligned_buffer.h"
#include "base/bf16.h"

namespace fovea::onednn {
namespace {

// Elements that a thread rounds at least: handing fewer over takes longer than rounding them.
constexpr std::int64_t kGrain = 8192;

class NarrowedStep : public Step {
 public:
  NarrowedStep(std::unique_ptr<Step> step, std::int64_t elements) : step_(std::move(step)), elements_(elements) {}

  void run(const StepContext& context) const override {
    const auto* from = static_cast<const float*>(context.inputs[0]);
    auto* narrow = reinterpret_cast<Bf16*>(context.workspace);
    context.pool.split(elements_, kGrain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) narrow[i] = Bf16(from[i]);
    });
    const std::array<const void*, kMostInputs> inputs = replaced(context.inputs, narrow);
    step_->run({{inputs.data(), context.inputs.size()},
                context.outputs,
                context.workspace + narrow_bytes(),
                context.pool,
                context.state});
  }

  std::size_t workspace_bytes(int threads) const override { return narrow_bytes() + step_->workspace_bytes(threads); }
  std::unique_ptr<State> make_state(int threads) const override { return step_->make_state(threads); }
  std::size_t packed_bytes() const override { return step_->packed_bytes(); }
  unsigned needs_constant_inputs() const override { return step_->needs_constant_inputs(); }

 private:
  static constexpr std::size_t kMostInputs = 8;

  static std::array<const void*, kMostInputs> replaced(std::span<const void* const> inputs, const void* first) {
    FOVEA_CHECK(inputs.size() <= kMostInputs);
    std::array<const void*, kMostInputs> all{};
    std::copy(inputs.begin(), inputs.end(), all.begin());
    all[0] = first;
    return all;
  }
  std::size_t narrow_bytes() const {
    return round_up(static_cast<std::size_t>(elements_) * sizeof(Bf16), kCacheLineBytes);
  }

  std::unique_ptr<Step> step_;
  std::int64_t elements_;
};

}  // namespace

bool narrows_factors(const TacticQuery& query) {
  return query.math == Math::kBf16Products && query.cpu.avx512_bf16 && query.input(0).type.dtype == DType::kF32;
}

std::unique_ptr<Step> make_narrowed_step(std::unique_ptr<Step> step, std::int64_t elements) {
  return std::make_unique<NarrowedStep>(std::move(step), elements);
}

double narrowing_us(const TacticQuery& query) {
  constexpr double kBytesPerUs = 10e3;  // read and written, as the conversions of this folder are estimated
  const Dims dims = query.input_dims(0);
  const double images = dims.size() > 2 ? static_cast<double>(dims[0]) : 1.0;
  return static_cast<double>(element_count(dims)) / images * (sizeof(float) + sizeof(Bf16)) / kBytesPerUs;
}

}  // namespace fovea::onednn
