// eltwise_binary: two operands, one of them of the result's shape, the other broadcast over it.
#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/eltwise/eltwise.h"

namespace fovea::cpu {
namespace {

using kernels::BinaryOp;

std::optional<BinaryOp> op_of(std::string_view op, bool swapped) {
  if (op == "Add") return BinaryOp::kAdd;
  if (op == "Mul") return BinaryOp::kMul;
  if (op == "Min") return BinaryOp::kMin;
  if (op == "Max") return BinaryOp::kMax;
  if (op == "Sub") return swapped ? BinaryOp::kReverseSub : BinaryOp::kSub;
  if (op == "Div") return swapped ? BinaryOp::kReverseDiv : BinaryOp::kDiv;
  if (op == "PRelu" && !swapped) return BinaryOp::kPrelu;
  return std::nullopt;
}

struct Form {
  int large = 0;  // the operand that has the result's shape
  BinaryOp op = BinaryOp::kAdd;
  kernels::Broadcast broadcast;
};

std::optional<Form> form_of(const TacticQuery& query) {
  const Dims out = query.output_dims();
  for (int large : {0, 1}) {
    if (query.input_dims(large) != out || query.constant(large)) continue;
    const auto op = op_of(query.node.op, large == 1);
    const auto broadcast = broadcast_of(query.input_dims(1 - large), out, query.output().layout);
    if (op && broadcast) return Form{large, *op, *broadcast};
  }
  return std::nullopt;
}

class BinaryStep : public Step {
 public:
  BinaryStep(const TacticQuery& query, const Form& form) : form_(form), count_(element_count(query.output_dims())) {
    const auto& kernels = kernels::select_eltwise(query.cpu);
    run_ = is_bf16(query.output()) ? kernels.binary_bf16 : kernels.binary_f32;
    const int small = 1 - form.large;
    if (const Tensor* constant = query.constant(small)) {
      const bool same = form.broadcast.kind == kernels::Operand::kSame;
      constant_ = same && constant->rank() >= 3 ? constant->in_layout(query.output().layout) : *constant;
    }
  }
  void run(const StepContext& context) const override {
    kernels::BinaryArgs args;
    args.op = form_.op;
    args.broadcast = form_.broadcast;
    args.a = context.inputs[static_cast<std::size_t>(form_.large)];
    args.b = constant_.count() ? constant_.raw() : context.inputs[static_cast<std::size_t>(1 - form_.large)];
    args.y = context.outputs[0];
    context.pool.split(count_, kEltwiseGrain, [&](std::int64_t begin, std::int64_t end) { run_(args, begin, end); });
  }
  std::size_t packed_bytes() const override { return constant_.bytes(); }

 private:
  Form form_;
  std::int64_t count_;
  kernels::BinaryFunction run_;
  Tensor constant_;
};

}  // namespace

Verdict eltwise_binary::applies(const TacticQuery& query) {
  Verdict verdict = check_float(query.output());
  if (!verdict.applies) return verdict;
  if (query.node.inputs.size() != 2) return Verdict::no("{} operands, for 2", query.node.inputs.size());
  for (int i : {0, 1})
    if (query.input(i).type.dtype != query.output().type.dtype) return Verdict::no("operands of different types");
  if (!form_of(query))
    return Verdict::no("no kernel broadcasts {} with {}", to_string(query.input_dims(0)), to_string(query.input_dims(1)));
  return Verdict::yes();
}

TacticLayouts eltwise_binary::layouts(const TacticQuery& query) { return uniform_layouts(query, query.output().layout); }
double eltwise_binary::cost_us(const TacticQuery& query) { return estimate_us(query, 1, 15, 0.5); }

Result<std::unique_ptr<Step>> eltwise_binary::build(const TacticQuery& query) {
  return std::unique_ptr<Step>(std::make_unique<BinaryStep>(query, *form_of(query)));
}

}  // namespace fovea::cpu
