// Softmax over the axis whose elements are neighbours in memory.
#include "backends/onednn/flat_program.h"
#include "backends/onednn/operands.h"
#include "backends/onednn/tactics.h"

namespace fovea::onednn {
namespace {

struct SoftmaxReading {
  std::int64_t rows = 1, length = 1;
  Layout layout = Layout::kRowMajor;
};

Result<SoftmaxReading> read_softmax(const TacticQuery& query) {
  const Dims dims = query.input_dims(0);
  const auto rank = static_cast<std::int64_t>(dims.size());
  FOVEA_TRY(std::int64_t axis, AttributeReader(query.node).integer("axis", -1));
  if (axis < 0) axis += rank;
  if (axis < 0 || axis >= rank) return bad_input("attribute axis: {} is outside rank {}", axis, rank);
  const std::int64_t length = dims[static_cast<std::size_t>(axis)];
  const SoftmaxReading row_major{element_count(dims) / length, length, Layout::kRowMajor};
  if (element_count(Dims(dims.begin() + axis + 1, dims.end())) == 1) return row_major;
  if (axis != 1 || rank < 3) return unsupported("the elements of axis {} are not neighbours in memory", axis);
  return SoftmaxReading{row_major.rows, length, Layout::kChannelsLast};
}

Result<Piece> make_piece(const SoftmaxReading& reading, DType dtype, std::int64_t begin, std::int64_t end) {
  const dnnl::memory::desc data({end - begin, reading.length}, data_type_of(dtype), dnnl::memory::format_tag::ab);
  Piece piece;
  FOVEA_TRY(const auto descriptor, guarded("a soft-max", [&] {
              const dnnl::softmax_forward::desc desc(dnnl::prop_kind::forward_inference, data, 1);
              dnnl::softmax_forward::primitive_desc made(desc, step_attributes(), cpu_engine());
              piece.primitive = dnnl::softmax_forward(made);
              return made;
            }));
  if (is_reference(descriptor)) return unsupported("oneDNN has only its reference loops for this soft-max");
  const auto row_bytes = reading.length * static_cast<std::int64_t>(size_of(dtype));
  piece.arguments.push_back(dense_argument(DNNL_ARG_SRC, data, {Place::kInput}, begin, row_bytes));
  piece.arguments.push_back(dense_argument(DNNL_ARG_DST, data, {Place::kOutput}, begin, row_bytes));
  add_scratchpad(descriptor, piece);
  return piece;
}

}  // namespace

Verdict applies_softmax(const TacticQuery& query) {
  if (query.constant(0)) return Verdict::no("the operand is constant");
  if (const Verdict verdict = check_activations(query); !verdict.applies) return verdict;
  if (query.input(0).type.dtype != query.output().type.dtype) return Verdict::no("the result has another element type");
  const auto reading = read_softmax(query);
  if (!reading.ok()) return Verdict::no("{}", reading.error().text());
  return Verdict::yes();
}

Verdict confirm_softmax(const TacticQuery& query) {
  const auto reading = read_softmax(query);
  if (!reading.ok()) return Verdict::no("{}", reading.error().text());
  const auto piece = make_piece(*reading, query.input(0).type.dtype, 0, reading->rows);
  return piece.ok() ? Verdict::yes() : Verdict::no("{}", piece.error().text());
}

TacticLayouts layouts_softmax(const TacticQuery& query) {
  const auto reading = read_softmax(query);
  return uniform_layouts(query, reading.ok() ? reading->layout : Layout::kRowMajor);
}

double cost_softmax(const TacticQuery& query) { return estimate_us(query, 1e3, 4.0, 2.0); }

Result<std::unique_ptr<Step>> build_softmax(const TacticQuery& query) {
  FOVEA_TRY(const SoftmaxReading reading, read_softmax(query));
  const DType dtype = query.input(0).type.dtype;
  const FlatShape shape{1, reading.rows, reading.length * static_cast<std::int64_t>(size_of(dtype)), 1};
  FOVEA_TRY(Program program, make_flat_program(shape, [=](std::int64_t begin, std::int64_t end) {
              return make_piece(reading, dtype, begin, end);
            }));
  return make_primitive_step(std::move(program), query.threads);
}

}  // namespace fovea::onednn
