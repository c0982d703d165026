// eltwise_unary: one operand, element by element.
#include <algorithm>
#include <cmath>
#include <limits>

#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/eltwise/eltwise.h"

namespace fovea::cpu {
namespace {

using kernels::EpilogueKind;
using kernels::UnaryOp;

struct Form {
  UnaryOp op = UnaryOp::kActivation;
  kernels::Epilogue epilogue;
};

Result<Form> clip_form(const TacticQuery& query) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  float bounds[2] = {-kInfinity, kInfinity};
  for (int i : {0, 1}) {
    if (!query.has(i + 1)) continue;
    const Tensor* bound = query.constant(i + 1);
    if (!bound || bound->count() != 1) return unsupported("a bound is not constant");
    bounds[i] = bound->to_floats()[0];
    if (std::isnan(bounds[i])) return unsupported("a bound is not a number");
  }
  // Where the bounds cross, the upper one wins.
  return Form{UnaryOp::kActivation, {EpilogueKind::kClip, std::min(bounds[0], bounds[1]), bounds[1]}};
}

Result<Form> form_of(const TacticQuery& query) {
  const std::string& op = query.node.op;
  const AttributeReader attributes(query.node);
  const auto activation = [](EpilogueKind kind, float a = 0, float b = 0) { return Form{UnaryOp::kActivation, {kind, a, b}}; };
  if (op == "Relu") return activation(EpilogueKind::kClip, 0, std::numeric_limits<float>::infinity());
  if (op == "Clip") return clip_form(query);
  if (op == "Sigmoid") return activation(EpilogueKind::kSigmoid);
  if (op == "HardSwish") return activation(EpilogueKind::kHardSwish);
  if (op == "Tanh") return activation(EpilogueKind::kTanh);
  if (op == "LeakyRelu") {
    FOVEA_TRY(const float alpha, attributes.real("alpha", 0.01f));
    return activation(EpilogueKind::kLeakyRelu, alpha);
  }
  if (op == "HardSigmoid") {
    FOVEA_TRY(const float alpha, attributes.real("alpha", 0.2f));
    FOVEA_TRY(const float beta, attributes.real("beta", 0.5f));
    return activation(EpilogueKind::kHardSigmoid, alpha, beta);
  }
  if (op == "Elu") {
    FOVEA_TRY(const float alpha, attributes.real("alpha", 1.0f));
    return Form{UnaryOp::kElu, {EpilogueKind::kNone, alpha, 0}};
  }
  static constexpr std::pair<std::string_view, UnaryOp> kPlain[] = {
      {"Exp", UnaryOp::kExp},     {"Log", UnaryOp::kLog},   {"Sqrt", UnaryOp::kSqrt},   {"Reciprocal", UnaryOp::kReciprocal},
      {"Abs", UnaryOp::kAbs},     {"Neg", UnaryOp::kNeg},   {"Floor", UnaryOp::kFloor}, {"Ceil", UnaryOp::kCeil},
      {"Round", UnaryOp::kRound}, {"Erf", UnaryOp::kErf},   {"Softplus", UnaryOp::kSoftplus}};
  for (const auto& [name, kernel_op] : kPlain)
    if (op == name) return Form{kernel_op, {}};
  return unsupported("no kernel for {}", op);
}

class UnaryStep : public Step {
 public:
  UnaryStep(const TacticQuery& query, const Form& form) : form_(form), count_(element_count(query.output_dims())) {
    const auto& kernels = kernels::select_eltwise(query.cpu);
    run_ = is_bf16(query.output()) ? kernels.unary_bf16 : kernels.unary_f32;
  }
  void run(const StepContext& context) const override {
    const kernels::UnaryArgs args{form_.op, form_.epilogue, context.inputs[0], context.outputs[0]};
    context.pool.split(count_, kEltwiseGrain, [&](std::int64_t begin, std::int64_t end) { run_(args, begin, end); });
  }

 private:
  Form form_;
  std::int64_t count_;
  kernels::UnaryFunction run_;
};

}  // namespace

Verdict eltwise_unary::applies(const TacticQuery& query) {
  Verdict verdict = check_float(query.output());
  if (!verdict.applies) return verdict;
  const auto form = form_of(query);
  return form.ok() ? Verdict::yes() : Verdict::no("{}", form.error().text());
}

TacticLayouts eltwise_unary::layouts(const TacticQuery& query) {
  TacticLayouts layouts = uniform_layouts(query, query.output().layout);
  layouts.in_place_input = 0;
  return layouts;
}
double eltwise_unary::cost_us(const TacticQuery& query) { return estimate_us(query, 1, 15, 0.5); }

Result<std::unique_ptr<Step>> eltwise_unary::build(const TacticQuery& query) {
  FOVEA_TRY(const Form form, form_of(query));
  return std::unique_ptr<Step>(std::make_unique<UnaryStep>(query, form));
}

}  // namespace fovea::cpu
