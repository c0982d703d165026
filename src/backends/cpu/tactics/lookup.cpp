// lookup: any function of single bytes, by a table.
#include <array>

#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/qeltwise/qeltwise.h"

namespace fovea::cpu {
namespace {

class LookupStep : public Step {
 public:
  explicit LookupStep(const TacticQuery& query)
      : run_(kernels::select_qeltwise(query.cpu).lookup), count_(element_count(query.output_dims())) {
    const auto table = query.constant(1)->as<std::uint8_t>();
    std::copy(table.begin(), table.end(), table_.begin());
  }
  void run(const StepContext& context) const override {
    context.pool.split(count_, 2 * kByteGrain, [&](std::int64_t begin, std::int64_t end) {
      run_(table_.data(), static_cast<const std::uint8_t*>(context.inputs[0]),
           static_cast<std::uint8_t*>(context.outputs[0]), begin, end);
    });
  }
  std::size_t packed_bytes() const override { return table_.size(); }

 private:
  kernels::LookupFunction run_;
  std::int64_t count_;
  std::array<std::uint8_t, 256> table_;
};

}  // namespace

Verdict lookup::applies(const TacticQuery& query) {
  if (!query.constant(1)) return Verdict::no("the table is not constant");
  if (element_count(query.output_dims()) == 0) return Verdict::no("empty result");
  return Verdict::yes();
}

TacticLayouts lookup::layouts(const TacticQuery& query) {
  TacticLayouts layouts = uniform_layouts(query, query.output().layout);
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
