// For tests: one node of a graph in text form, run by a tactic of this backend and by the reference evaluation.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "backends/onednn/onednn_backend.h"
#include "base/rng.h"
#include "graph/text.h"
#include "ops/evaluate.h"
#include "ops/infer.h"

namespace fovea::onednn {

// The graph holds one node; its inputs are filled with seeded normal values.
class TacticFixture {
 public:
  TacticFixture(const std::string& text, std::string_view tactic, const CpuFeatures& cpu = active_cpu()) : cpu_(cpu) {
    auto parsed = parse_graph("graph t\n" + text);
    EXPECT_TRUE(parsed.ok()) << (parsed.ok() ? "" : parsed.error().text());
    graph_ = std::move(parsed).value();
    const Status inferred = infer_graph(graph_);
    EXPECT_TRUE(inferred.ok()) << (inferred.ok() ? "" : inferred.error().text()) << "\n" << text;
    for (const Tactic& row : onednn_backend().tactics())
      if (row.name == tactic && row.op == node().op) tactic_ = &row;
    EXPECT_NE(tactic_, nullptr) << tactic << " for " << node().op;
    for (std::size_t i = 0; i < graph_.inputs().size(); ++i) inputs_.push_back(random_input(i));
  }

  const Node& node() const { return graph_.node(graph_.topological_order().front()); }
  TacticQuery query(int threads = 1) const { return {graph_, node(), cpu_, threads, math_}; }
  void set_math(Math math) { math_ = math; }
  Verdict verdict() const { return tactic_->check(query()); }
  double cost_us() const { return tactic_->cost_us(query()); }
  std::vector<Tensor>& inputs() { return inputs_; }

  // Builds for `built_for` threads, runs on a team of `threads`. The result is row-major.
  Tensor run(int threads, int built_for = 0) const {
    auto step = tactic_->build(query(built_for > 0 ? built_for : threads));
    EXPECT_TRUE(step.ok()) << (step.ok() ? "" : step.error().text());
    if (!step.ok()) return Tensor();
    const TacticLayouts layouts = tactic_->layouts(query());
    std::vector<Tensor> laid_out(node().inputs.size());
    std::vector<const void*> in(node().inputs.size(), nullptr);
    for (std::size_t i = 0; i < in.size(); ++i) {
      const Tensor* source = operand(node().inputs[i]);
      if (!source || graph_.value(node().inputs[i]).is_constant()) continue;
      laid_out[i] = source->in_layout(layouts.inputs[i]);
      in[i] = laid_out[i].raw();
    }
    const Value& result = graph_.value(node().outputs[0]);
    Tensor output(result.type.dtype, *result.type.shape.fixed(), layouts.outputs[0]);
    std::memset(output.raw(), 0xff, output.bytes());
    void* out[] = {output.raw()};
    ThreadPool pool({threads, false, {}, 20});
    AlignedBuffer workspace((*step)->workspace_bytes(threads));
    const auto state = (*step)->make_state(threads);
    const StepContext context{in, out, workspace.data(), pool, state.get()};
    for (int repeat = 0; repeat < 2; ++repeat) (*step)->run(context);
    return output.in_layout(Layout::kRowMajor);
  }

  // `narrow_factors`: of the first two operands rounded to bf16.
  Tensor reference(bool narrow_factors = false) const {
    std::vector<const Tensor*> operands;
    for (ValueId v : node().inputs) operands.push_back(operand(v));
    std::vector<Tensor> rounded;
    for (int i = 0; narrow_factors && i < 2; ++i)
      rounded.push_back(operands[static_cast<std::size_t>(i)]->cast(DType::kBf16).cast(DType::kF32));
    for (std::size_t i = 0; i < rounded.size(); ++i) operands[i] = &rounded[i];
    auto results = evaluate_node(node(), operands);
    EXPECT_TRUE(results.ok()) << (results.ok() ? "" : results.error().text());
    return results.ok() ? std::move((*results)[0]) : Tensor();
  }

 private:
  const Tensor* operand(ValueId v) const {
    if (v == kNoValue) return nullptr;
    if (graph_.value(v).is_constant()) return graph_.value(v).constant.get();
    for (std::size_t i = 0; i < graph_.inputs().size(); ++i)
      if (graph_.inputs()[i] == v) return &inputs_[i];
    return nullptr;
  }

  Tensor random_input(std::size_t i) const {
    const TensorType& type = graph_.value(graph_.inputs()[i]).type;
    Tensor values(DType::kF32, *type.shape.fixed());
    Rng rng(100 + i);
    for (float& v : values.as<float>()) v = rng.normal();
    return type.dtype == DType::kF32 ? values : values.cast(type.dtype);
  }

  Graph graph_;
  CpuFeatures cpu_;
  Math math_ = Math::kExact;
  const Tactic* tactic_ = nullptr;
  std::vector<Tensor> inputs_;
};

inline bool same_bytes(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && std::memcmp(a.raw(), b.raw(), a.bytes()) == 0;
}

// |got - want| <= tolerance * (1 + |want|) for every element; says where it first fails.
inline void expect_close(const Tensor& got, const Tensor& want, double tolerance, const std::string& what) {
  ASSERT_EQ(got.dims(), want.dims()) << what;
  ASSERT_EQ(got.dtype(), want.dtype()) << what;
  const std::vector<float> a = got.to_floats(), b = want.to_floats();
  for (std::size_t i = 0; i < a.size(); ++i)
    ASSERT_LE(std::abs(static_cast<double>(a[i]) - b[i]), tolerance * (1 + std::abs(b[i])))
        << what << " element " << i << ": got " << a[i] << ", expected " << b[i];
}

}  // namespace fovea::onednn
