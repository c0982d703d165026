// Element-wise functions of one operand, over any dense order.
#include <limits>

#include "backends/onednn/flat_program.h"
#include "backends/onednn/operands.h"
#include "backends/onednn/tactics.h"

namespace fovea::onednn {
namespace {

struct EltwiseFunction {
  dnnl::algorithm algorithm = dnnl::algorithm::eltwise_relu;
  float alpha = 0, beta = 0;
};

// A bound of Clip: `fallback` where it is omitted.
Result<float> read_bound(const TacticQuery& query, int i, float fallback) {
  if (!query.has(i)) return fallback;
  const Tensor* bound = query.constant(i);
  if (!bound || bound->count() != 1) return unsupported("bound {} is not a constant scalar", i);
  return bound->to_floats()[0];
}

Result<EltwiseFunction> read_function(const TacticQuery& query) {
  using dnnl::algorithm;
  const AttributeReader reader(query.node);
  const std::string& op = query.node.op;
  if (op == "Relu") return EltwiseFunction{algorithm::eltwise_relu};
  if (op == "Sigmoid") return EltwiseFunction{algorithm::eltwise_logistic};
  if (op == "HardSwish") return EltwiseFunction{algorithm::eltwise_hardswish};
  if (op == "Tanh") return EltwiseFunction{algorithm::eltwise_tanh};
  if (op == "Exp") return EltwiseFunction{algorithm::eltwise_exp};
  if (op == "Sqrt") return EltwiseFunction{algorithm::eltwise_sqrt};
  if (op == "Abs") return EltwiseFunction{algorithm::eltwise_abs};
  EltwiseFunction function;
  if (op == "Clip") {
    constexpr float kMax = std::numeric_limits<float>::max();
    function.algorithm = algorithm::eltwise_clip;
    FOVEA_TRY(function.alpha, read_bound(query, 1, -kMax));
    FOVEA_TRY(function.beta, read_bound(query, 2, kMax));
    if (function.alpha > function.beta) return unsupported("the bounds cross");
    return function;
  }
  if (op == "LeakyRelu") {
    FOVEA_TRY(function.alpha, reader.real("alpha", 0.01f));
    return function;
  }
  FOVEA_CHECK(op == "Elu");
  function.algorithm = algorithm::eltwise_elu;
  FOVEA_TRY(function.alpha, reader.real("alpha", 1.0f));
  return function;
}

Result<Piece> make_piece(const EltwiseFunction& function, DType dtype, std::int64_t begin, std::int64_t end) {
  const dnnl::memory::desc data({end - begin}, data_type_of(dtype), dnnl::memory::format_tag::a);
  Piece piece;
  FOVEA_TRY(const auto descriptor, guarded("an element-wise step", [&] {
              const dnnl::eltwise_forward::desc desc(dnnl::prop_kind::forward_inference, function.algorithm, data,
                                                     function.alpha, function.beta);
              dnnl::eltwise_forward::primitive_desc made(desc, step_attributes(), cpu_engine());
              piece.primitive = dnnl::eltwise_forward(made);
              return made;
            }));
  if (is_reference(descriptor)) return unsupported("oneDNN has only its reference loops for this function");
  const auto element = static_cast<std::int64_t>(size_of(dtype));
  piece.arguments.push_back(dense_argument(DNNL_ARG_SRC, data, {Place::kInput}, begin, element));
  piece.arguments.push_back(dense_argument(DNNL_ARG_DST, data, {Place::kOutput}, begin, element));
  add_scratchpad(descriptor, piece);
  return piece;
}

}  // namespace

Verdict applies_eltwise(const TacticQuery& query) {
  if (query.constant(0)) return Verdict::no("the operand is constant");
  if (const Verdict verdict = check_activations(query); !verdict.applies) return verdict;
  if (query.input(0).type.dtype != query.output().type.dtype) return Verdict::no("the result has another element type");
  const auto function = read_function(query);
  if (!function.ok()) return Verdict::no("{}", function.error().text());
  return Verdict::yes();
}

Verdict confirm_eltwise(const TacticQuery& query) {
  const auto function = read_function(query);
  if (!function.ok()) return Verdict::no("{}", function.error().text());
  const auto piece = make_piece(*function, query.input(0).type.dtype, 0, count_of(query.output()));
  return piece.ok() ? Verdict::yes() : Verdict::no("{}", piece.error().text());
}

TacticLayouts layouts_eltwise(const TacticQuery& query) { return channels_last_layouts(query); }
double cost_eltwise(const TacticQuery& query) { return estimate_us(query, 1e3, 12.0, 2.0); }

Result<std::unique_ptr<Step>> build_eltwise(const TacticQuery& query) {
  FOVEA_TRY(const EltwiseFunction function, read_function(query));
  const DType dtype = query.input(0).type.dtype;
  const FlatShape shape{1, count_of(query.output()), static_cast<std::int64_t>(size_of(dtype)), 64};
  FOVEA_TRY(Program program, make_flat_program(shape, [=](std::int64_t begin, std::int64_t end) {
              return make_piece(function, dtype, begin, end);
            }));
  return make_primitive_step(std::move(program), query.threads);
}

}  // namespace fovea::onednn
