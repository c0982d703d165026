// lookup: any function of single bytes, by a table; or by one table a channel of channels-last images.
#include <vector>

#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/qeltwise/qeltwise.h"

namespace fovea::cpu {
namespace {

class LookupStep : public Step {
 public:
  explicit LookupStep(const TacticQuery& query)
      : kernels_(kernels::select_qeltwise(query.cpu)), count_(element_count(query.output_dims())) {
    const auto table = query.constant(1)->as<std::uint8_t>();
    table_.assign(table.begin(), table.end());
  }
  void run(const StepContext& context) const override {
    const auto* x = static_cast<const std::uint8_t*>(context.inputs[0]);
    auto* y = static_cast<std::uint8_t*>(context.outputs[0]);
    const auto channels = static_cast<std::int64_t>(table_.size() / 256);
    if (channels == 1) {
      context.pool.split(count_, 2 * kByteGrain, [&](std::int64_t begin, std::int64_t end) {
        kernels_.lookup(table_.data(), x, y, begin, end);
      });
      return;
    }
    context.pool.split(count_ / channels, kByteGrain, [&](std::int64_t begin, std::int64_t end) {
      kernels_.lookup_channels(table_.data(), static_cast<int>(channels), x + begin * channels, y + begin * channels,
                               (end - begin) * channels);
    });
  }
  std::size_t packed_bytes() const override { return table_.size(); }

 private:
  const kernels::QEltwiseKernels& kernels_;
  std::int64_t count_;
  std::vector<std::uint8_t> table_;
};

bool by_channel(const TacticQuery& query) { return query.input(1).type.shape.rank() == 2; }

}  // namespace

Verdict lookup::applies(const TacticQuery& query) {
  if (!query.constant(1)) return Verdict::no("the table is not constant");
  if (element_count(query.output_dims()) == 0) return Verdict::no("empty result");
  if (by_channel(query) && query.output_dims().size() != 4) return Verdict::no("tables of channels, and no image");
  return Verdict::yes();
}

TacticLayouts lookup::layouts(const TacticQuery& query) {
  TacticLayouts layouts = uniform_layouts(query, by_channel(query) ? Layout::kChannelsLast : query.output().layout);
  layouts.in_place_input = 0;
  return layouts;
}

// In GB/s read and written, as measured on Zen 4.
double lookup::cost_us(const TacticQuery& query) {
  const double rate = query.cpu.has(Isa::kAvx512Vbmi) ? 80 : query.cpu.has(Isa::kAvx2) ? 15 : 3;
  return estimate_us(query, 1, rate, 0.3);
}

Result<std::unique_ptr<Step>> lookup::build(const TacticQuery& query) {
  return std::unique_ptr<Step>(std::make_unique<LookupStep>(query));
}

}  // namespace fovea::cpu
