// For tests only: small networks from text, and samples of seeded numbers.
#pragma once

#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/rng.h"
#include "graph/text.h"
#include "ops/evaluate.h"
#include "ops/infer.h"
#include "quant/sample_source.h"

namespace fovea::quant {

inline Graph network(const std::string& text) {
  auto graph = parse_graph(text);
  if (!graph.ok()) throw std::runtime_error(graph.error().text());
  if (auto status = infer_graph(*graph); !status.ok()) throw std::runtime_error(status.error().text());
  return std::move(*graph);
}

// Conv, Relu, Conv into a sum, Relu, pool, Gemm: a residual block and a classifier.
inline const std::string kResidualNetwork = R"(graph residual
input x: f32[1,3,8,8]
const w1: f32[8,3,3,3] = seed(1)
const b1: f32[8] = seed(2)
const w2: f32[8,8,3,3] = seed(3)
const b2: f32[8] = seed(4)
const fc: f32[5,8] = seed(5)
const fb: f32[5] = seed(6)
c1 = Conv(x, w1, b1) {pads=[1,1,1,1]}
r1 = Relu(c1)
c2 = Conv(r1, w2, b2) {pads=[1,1,1,1]}
s = Add(c2, r1)
r2 = Relu(s)
p = GlobalAveragePool(r2)
f = Flatten(p)
y = Gemm(f, fc, fb) {transB=1}
output y
)";

class SeededSamples : public SampleSource {
 public:
  SeededSamples(Dims dims, std::int64_t count, std::uint64_t seed = 1) {
    Rng rng(seed);
    for (std::int64_t i = 0; i < count; ++i) {
      Tensor t(DType::kF32, dims, Layout::kChannelsLast);
      for (float& v : t.as<float>()) v = rng.normal();
      tensors.push_back(std::move(t));
    }
  }
  std::int64_t size() const override { return std::ssize(tensors); }
  Status restart(std::int64_t first) override {
    position_ = first;
    ++passes;
    return {};
  }
  Result<const Sample*> next() override {
    if (position_ >= size()) return nullptr;
    sample_ = {fmt::format("sample {}", position_), -1,
               std::as_const(tensors[static_cast<std::size_t>(position_)]).view()};
    ++position_;
    ++given;
    return &sample_;
  }
  std::int64_t position() const override { return position_; }

  std::vector<Tensor> tensors;
  int passes = 0, given = 0;

 private:
  std::int64_t position_ = 0;
  Sample sample_;
};

inline std::vector<float> evaluate(const Graph& graph, const Tensor& input) {
  const Tensor row_major = input.in_layout(Layout::kRowMajor);
  auto result = evaluate_graph(graph, {&row_major, 1});
  if (!result.ok()) throw std::runtime_error(result.error().text());
  return result->outputs[0].to_floats();
}

}  // namespace fovea::quant
