// q_binary: sums and products of bytes, the second operand of the same shape or one value a channel.
#include <algorithm>
#include <cmath>

#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/qeltwise/qeltwise.h"
#include "ops/fused_qbinary.h"

namespace fovea::cpu {
namespace {

std::optional<kernels::Broadcast> form_of(const TacticQuery& query) {
  return broadcast_of(query.input_dims(1), query.output_dims(), query.output().layout);
}

// The byte that a bound of the activation becomes. Rounding is monotonic, so the bytes can be bounded in its place.
std::uint8_t bounded(double bound, const Quantised& y) {
  const double byte = std::nearbyint(bound / static_cast<double>(y.scale)) + static_cast<double>(y.zero_point);
  return static_cast<std::uint8_t>(std::clamp(byte, 0.0, 255.0));
}

// The kernel's arguments, but for addresses and broadcast.
kernels::QBinaryArgs arguments_of(const FusedQBinary& binary) {
  kernels::QBinaryArgs args;
  const double a = binary.a.scale, b = binary.b.scale, y = binary.y.scale;
  if (binary.function == FusedQBinary::Function::kAdd) {
    args.a_multiplier = static_cast<float>(a / y);
    args.b_multiplier = static_cast<float>(b / y);
  } else {
    args.a_multiplier = static_cast<float>(a * b / y);
  }
  args.a_zero_point = static_cast<int>(binary.a.zero_point);
  args.b_zero_point = static_cast<int>(binary.b.zero_point);
  args.y_zero_point = static_cast<int>(binary.y.zero_point);
  if (binary.activation.kind == ActivationKind::kRelu) args.lowest = static_cast<std::uint8_t>(binary.y.zero_point);
  if (binary.activation.kind == ActivationKind::kClip) {
    // Where the bounds cross, the upper one wins, as it does in the kernel.
    args.lowest = bounded(binary.activation.a, binary.y);
    args.highest = bounded(binary.activation.b, binary.y);
  }
  return args;
}

class QBinaryStep : public Step {
 public:
  QBinaryStep(const TacticQuery& query, const FusedQBinary& binary)
      : args_(arguments_of(binary)), count_(element_count(query.output_dims())) {
    const auto& kernels = kernels::select_qeltwise(query.cpu);
    run_ = binary.function == FusedQBinary::Function::kAdd ? kernels.add : kernels.mul;
    args_.broadcast = *form_of(query);
    if (const Tensor* constant = query.constant(1)) {
      const bool same = args_.broadcast.kind == kernels::Operand::kSame;
      constant_ = same && constant->rank() >= 3 ? constant->in_layout(query.output().layout) : *constant;
    }
  }
  void run(const StepContext& context) const override {
    kernels::QBinaryArgs args = args_;
    args.a = static_cast<const std::uint8_t*>(context.inputs[0]);
    args.b = static_cast<const std::uint8_t*>(constant_.count() ? constant_.raw() : context.inputs[1]);
    args.y = static_cast<std::uint8_t*>(context.outputs[0]);
    context.pool.split(count_, kByteGrain, [&](std::int64_t begin, std::int64_t end) { run_(args, begin, end); });
  }
  std::size_t packed_bytes() const override { return constant_.bytes(); }

 private:
  kernels::QBinaryArgs args_;
  std::int64_t count_;
  kernels::QBinaryFunction run_;
  Tensor constant_;
};

}  // namespace

Verdict q_binary::applies(const TacticQuery& query) {
  if (query.constant(0)) return Verdict::no("the first operand is constant");
  if (element_count(query.output_dims()) == 0) return Verdict::no("empty result");
  const auto binary = read_fused_qbinary(query.node);
  if (!binary.ok()) return Verdict::no("{}", binary.error().text());
  if (std::isnan(binary->activation.a) || std::isnan(binary->activation.b))
    return Verdict::no("a bound of the activation is not a number");
  const kernels::QBinaryArgs args = arguments_of(*binary);
  // So that no sum or product leaves the range of 32 bits.
  constexpr float kLargest = 8192;
  if (!(args.a_multiplier <= kLargest && args.b_multiplier <= kLargest))
    return Verdict::no("operands of scale {} and {} exceed the result's {} by far", binary->a.scale, binary->b.scale,
                       binary->y.scale);
  if (!form_of(query))
    return Verdict::no("no kernel broadcasts {} to {}", to_string(query.input_dims(1)), to_string(query.input_dims(0)));
  return Verdict::yes();
}

TacticLayouts q_binary::layouts(const TacticQuery& query) {
  TacticLayouts layouts = uniform_layouts(query, query.output().layout);
  layouts.in_place_input = 0;
  return layouts;
}

// In GB/s read and written, as measured on Zen 4.
double q_binary::cost_us(const TacticQuery& query) {
  return estimate_us(query, 1, query.cpu.has(Isa::kAvx2) ? 25 : 1, 0.5);
}

Result<std::unique_ptr<Step>> q_binary::build(const TacticQuery& query) {
  FOVEA_TRY(const FusedQBinary binary, read_fused_qbinary(query.node));
  return std::unique_ptr<Step>(std::make_unique<QBinaryStep>(query, binary));
}

}  // namespace fovea::cpu
