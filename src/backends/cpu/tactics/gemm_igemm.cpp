// gemm_igemm: Gemm with constant weights, on the same panels as the convolutions.
#include "backends/cpu/tactic_functions.h"
#include "kernels/igemm_f32/igemm_f32.h"

namespace fovea::cpu {
namespace {

struct GemmAttributes {
  bool trans_a = false, trans_b = false;
  float alpha = 1, beta = 1;
};

Result<GemmAttributes> read_gemm(const Node& node) {
  const AttributeReader attributes(node);
  GemmAttributes g;
  FOVEA_TRY(const std::int64_t trans_a, attributes.integer("transA", 0));
  FOVEA_TRY(const std::int64_t trans_b, attributes.integer("transB", 0));
  FOVEA_TRY(g.alpha, attributes.real("alpha", 1.0f));
  FOVEA_TRY(g.beta, attributes.real("beta", 1.0f));
  g.trans_a = trans_a != 0;
  g.trans_b = trans_b != 0;
  return g;
}

class GemmIgemmStep : public Step {
 public:
  GemmIgemmStep(const TacticQuery& query, const GemmAttributes& g)
      : m_(query.output_dims()[0]), n_(query.output_dims()[1]), k_(query.input_dims(0)[1]) {
    std::vector<float> w = query.constant(1)->to_floats();
    if (g.alpha != 1.0f)
      for (float& v : w) v *= g.alpha;
    panels_ = kernels::select_igemm_f32(query.cpu, n_);
    packed_ = AlignedBuffer(kernels::igemm_f32_packed_floats(panels_, 1, k_) * sizeof(float));
    const auto weights = g.trans_b ? kernels::oihw_weights(w.data(), k_, 1, 1) : kernels::kn_weights(w.data(), n_);
    kernels::igemm_f32_pack(panels_, weights, 1, k_, reinterpret_cast<float*>(packed_.data()));
    bias_.assign(static_cast<std::size_t>(n_), 0.0f);
    if (const Tensor* c = query.constant(2)) {
      const std::vector<float> values = c->to_floats();
      for (std::size_t i = 0; i < bias_.size(); ++i) bias_[i] = g.beta * values[values.size() == 1 ? 0 : i];
    }
  }

  void run(const StepContext& context) const override {
    kernels::IgemmF32 problem;
    problem.m = m_;
    problem.k = k_;
    problem.a = kernels::dense_rows(static_cast<const float*>(context.inputs[0]), m_, k_);
    problem.panels = panels_;
    problem.b = reinterpret_cast<const float*>(packed_.data());
    problem.bias = bias_.data();
    problem.c = static_cast<float*>(context.outputs[0]);
    problem.c_stride = n_;
    const int parts = context.pool.threads();
    context.pool.run(parts, [&](int part) { kernels::igemm_f32(problem, kernels::igemm_f32_part(problem, parts, part)); });
  }

  std::size_t packed_bytes() const override { return packed_.size() + bias_.size() * sizeof(float); }

 private:
  std::int64_t m_, n_, k_;
  kernels::IgemmPanels panels_;
  AlignedBuffer packed_;
  std::vector<float> bias_;
};

}  // namespace

Verdict gemm_igemm::applies(const TacticQuery& query) {
  const auto g = read_gemm(query.node);
  if (!g.ok()) return Verdict::no("{}", g.error().text());
  if (g->trans_a) return Verdict::no("A is transposed");
  if (query.output().type.dtype != DType::kF32) return Verdict::no("computes in {}", dtype_name(query.output().type.dtype));
  if (!query.constant(1)) return Verdict::no("weights are not constant");
  if (element_count(query.output_dims()) == 0 || query.input_dims(0)[1] == 0) return Verdict::no("empty result");
  if (!query.has(2)) return Verdict::yes();
  const Tensor* c = query.constant(2);
  if (!c) return Verdict::no("C is not constant");
  const bool row = c->count() == 1 || (c->count() == query.output_dims()[1] && c->dims().back() == c->count());
  return row ? Verdict::yes() : Verdict::no("C is not one row");
}

TacticLayouts gemm_igemm::layouts(const TacticQuery& query) { return uniform_layouts(query, Layout::kRowMajor); }

double gemm_igemm::cost_us(const TacticQuery& query) {
  return estimate_us(query, query.cpu.avx2 ? 54.0 : 1.5, 20.0);
}

Result<std::unique_ptr<Step>> gemm_igemm::build(const TacticQuery& query) {
  FOVEA_TRY(const GemmAttributes g, read_gemm(query.node));
  return std::unique_ptr<Step>(std::make_unique<GemmIgemmStep>(query, g));
}

}  // namespace fovea::cpu
