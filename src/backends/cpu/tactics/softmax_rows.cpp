// softmax_rows: Softmax and LogSoftmax along the last axis, or an axis behind which every extent is 1.
#include <algorithm>

#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/rowwise/rowwise.h"

namespace fovea::cpu {
namespace {

// The axis's extent if the rows along it are contiguous.
std::optional<std::int64_t> row_length(const TacticQuery& query) {
  const Dims dims = query.input_dims(0);
  const auto axis = AttributeReader(query.node).integer("axis", -1);
  if (!axis.ok()) return std::nullopt;
  const auto rank = static_cast<std::int64_t>(dims.size());
  const std::int64_t a = *axis < 0 ? *axis + rank : *axis;
  if (a < 0 || a >= rank || element_count(Dims(dims.begin() + a + 1, dims.end())) != 1) return std::nullopt;
  return dims[static_cast<std::size_t>(a)];
}

class SoftmaxStep : public Step {
 public:
  SoftmaxStep(const TacticQuery& query, std::int64_t length)
      : run_(kernels::select_rowwise(query.cpu).softmax_f32), length_(length),
        rows_(element_count(query.input_dims(0)) / length), logarithm_(query.node.op == "LogSoftmax") {}
  void run(const StepContext& context) const override {
    const kernels::SoftmaxArgs args{length_, logarithm_, static_cast<const float*>(context.inputs[0]),
                                    static_cast<float*>(context.outputs[0])};
    const std::int64_t grain = std::max<std::int64_t>(1, kEltwiseGrain / length_);
    context.pool.split(rows_, grain, [&](std::int64_t begin, std::int64_t end) { run_(args, begin, end); });
  }

 private:
  void (*run_)(const kernels::SoftmaxArgs&, std::int64_t, std::int64_t);
  std::int64_t length_, rows_;
  bool logarithm_;
};

}  // namespace

Verdict softmax_rows::applies(const TacticQuery& query) {
  if (query.output().type.dtype != DType::kF32) return Verdict::no("computes in {}", dtype_name(query.output().type.dtype));
  if (element_count(query.output_dims()) == 0) return Verdict::no("empty result");
  if (!row_length(query)) return Verdict::no("the axis is not the innermost");
  return Verdict::yes();
}

TacticLayouts softmax_rows::layouts(const TacticQuery& query) { return uniform_layouts(query, Layout::kRowMajor); }
double softmax_rows::cost_us(const TacticQuery& query) { return estimate_us(query, 1, 4, 0.5); }

Result<std::unique_ptr<Step>> softmax_rows::build(const TacticQuery& query) {
  return std::unique_ptr<Step>(std::make_unique<SoftmaxStep>(query, *row_length(query)));
}

}  // namespace fovea::cpu
