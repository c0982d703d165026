#include "backends/reference/reference_backend.h"

#include <cstring>

#include "ops/evaluate.h"
#include "ops/infer.h"

namespace fovea {
namespace {

class ReferenceStep : public Step {
 public:
  explicit ReferenceStep(const TacticQuery& query) : node_(query.node) {
    for (std::size_t i = 0; i < node_.inputs.size(); ++i) {
      const int index = static_cast<int>(i);
      inputs_.push_back(query.has(index) ? std::make_optional(query.input(index).type) : std::nullopt);
    }
  }

  void run(const StepContext& context) const override {
    std::vector<Tensor> tensors(inputs_.size());
    std::vector<const Tensor*> operands(inputs_.size(), nullptr);
    for (std::size_t i = 0; i < inputs_.size(); ++i) {
      if (!inputs_[i]) continue;
      tensors[i] = Tensor::borrow(inputs_[i]->dtype, *inputs_[i]->shape.fixed(), context.inputs[i], nullptr);
      operands[i] = &tensors[i];
    }
    auto results = evaluate_node(node_, operands);
    if (!results.ok()) throw StepFailure(results.error());
    for (std::size_t i = 0; i < context.outputs.size(); ++i)
      if (context.outputs[i] && (*results)[i].bytes() > 0)
        std::memcpy(context.outputs[i], (*results)[i].raw(), (*results)[i].bytes());
  }

  unsigned needs_constant_inputs() const override { return ~0u; }

 private:
  Node node_;
  std::vector<std::optional<TensorType>> inputs_;
};

constexpr double kReferenceUs = 1e9;  // never chosen while anything else applies

class ReferenceBackend : public Backend {
 public:
  std::string_view name() const override { return "reference"; }
  std::span<const Tactic> tactics() const override {
    static const Tactic tactic{
        "reference", "*",
        [](const TacticQuery& query) {
          return find_op(query.node.op) ? Verdict::yes() : Verdict::no("operator {} is not known", query.node.op);
        },
        [](const TacticQuery& query) { return uniform_layouts(query, Layout::kRowMajor); },
        [](const TacticQuery& query) { return kReferenceUs + estimate_us(query, 0.1, 0.1); },
        [](const TacticQuery& query) -> Result<std::unique_ptr<Step>> {
          return std::unique_ptr<Step>(std::make_unique<ReferenceStep>(query));
        }};
    return {&tactic, 1};
  }
};

}  // namespace

const Backend& reference_backend() {
  static const ReferenceBackend backend;
  return backend;
}

}  // namespace fovea
