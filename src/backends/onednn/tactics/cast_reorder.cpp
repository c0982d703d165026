// Cast between f32 and bf16.
#include "backends/onednn/flat_program.h"
#include "backends/onednn/operands.h"
#include "backends/onednn/tactics.h"

namespace fovea::onednn {
namespace {

Result<Piece> make_piece(DType from, DType to, std::int64_t begin, std::int64_t end) {
  const auto desc_of = [&](DType dtype) {
    return dnnl::memory::desc({end - begin}, data_type_of(dtype), dnnl::memory::format_tag::a);
  };
  Piece piece;
  FOVEA_TRY(const auto descriptor, guarded("a conversion", [&] {
              const dnnl::reorder::primitive_desc made(cpu_engine(), desc_of(from), cpu_engine(), desc_of(to),
                                                       step_attributes());
              piece.primitive = dnnl::reorder(made);
              return made;
            }));
  piece.arguments.push_back(
      dense_argument(DNNL_ARG_FROM, desc_of(from), {Place::kInput}, begin, static_cast<std::int64_t>(size_of(from))));
  piece.arguments.push_back(
      dense_argument(DNNL_ARG_TO, desc_of(to), {Place::kOutput}, begin, static_cast<std::int64_t>(size_of(to))));
  add_scratchpad(descriptor, piece);
  return piece;
}

}  // namespace

Verdict applies_cast(const TacticQuery& query) {
  if (query.constant(0)) return Verdict::no("the operand is constant");
  if (const Verdict verdict = check_activations(query); !verdict.applies) return verdict;
  if (query.input(0).type.dtype == query.output().type.dtype) return Verdict::no("the element type stays");
  return Verdict::yes();
}

// The library converts between all its types.
Verdict confirm_cast(const TacticQuery&) { return Verdict::yes(); }

TacticLayouts layouts_cast(const TacticQuery& query) { return channels_last_layouts(query); }
double cost_cast(const TacticQuery& query) { return estimate_us(query, 1e3, 12.0, 2.0); }

Result<std::unique_ptr<Step>> build_cast(const TacticQuery& query) {
  const DType from = query.input(0).type.dtype, to = query.output().type.dtype;
  const FlatShape shape{1, count_of(query.output()), static_cast<std::int64_t>(size_of(to)), 64};
  FOVEA_TRY(Program program, make_flat_program(shape, [=](std::int64_t begin, std::int64_t end) {
              return make_piece(from, to, begin, end);
            }));
  return make_primitive_step(std::move(program), query.threads);
}

}  // namespace fovea::onednn
