// MatMul of two computed operands, a slice at a time.
#include "backends/onednn/flat_program.h"
#include "backends/onednn/operands.h"
#include "backends/onednn/tactics.h"

namespace fovea::onednn {
namespace {

// Y[s] = A[s] · B[s], [rows, depth] by [depth, columns], for every slice s; B may be the same for all.
struct MatmulReading {
  std::int64_t slices = 1, rows = 1, depth = 1, columns = 1;
  bool shared_right = false;
  DType dtype = DType::kF32;
};

// With this many rows and more, a slice is cut into two fixed bands: oneDNN's GEMM may choose the order of accumulation
// by the number of rows, so the cut must not depend on the number of threads.
constexpr std::int64_t kMinBandRows = 32;

Result<MatmulReading> read_matmul(const TacticQuery& query) {
  const Dims a = query.input_dims(0), b = query.input_dims(1);
  if (a.size() < 2 || b.size() < 2) return unsupported("an operand is a vector");
  MatmulReading reading;
  reading.rows = a[a.size() - 2];
  reading.depth = a.back();
  reading.columns = b.back();
  reading.dtype = query.output().type.dtype;
  const Dims a_slices(a.begin(), a.end() - 2), b_slices(b.begin(), b.end() - 2);
  reading.slices = element_count(a_slices);
  reading.shared_right = element_count(b_slices) == 1;
  if (!reading.shared_right && a_slices != b_slices) return unsupported("slices of the operands are spread");
  return reading;
}

Result<Piece> make_piece(const MatmulReading& r, std::int64_t begin, std::int64_t end) {
  using Desc = dnnl::memory::desc;
  const auto matrix = [&](std::int64_t rows, std::int64_t columns) {
    return Desc({rows, columns}, data_type_of(r.dtype), dnnl::memory::format_tag::ab);
  };
  const Desc left = matrix(end - begin, r.depth), right = matrix(r.depth, r.columns),
             result = matrix(end - begin, r.columns);
  Piece piece;
  FOVEA_TRY(const auto descriptor, guarded("a matrix product", [&] {
              const dnnl::matmul::desc desc(left, right, result);
              dnnl::matmul::primitive_desc made(desc, step_attributes(), cpu_engine());
              piece.primitive = dnnl::matmul(made);
              return made;
            }));
  if (is_reference(descriptor)) return unsupported("oneDNN has only its reference loops for this matrix product");
  const auto element = static_cast<std::int64_t>(size_of(r.dtype));
  const std::int64_t left_row = r.depth * element, result_row = r.columns * element;
  piece.arguments.push_back(
      dense_argument(DNNL_ARG_SRC, left, {Place::kInput, 0, 0, r.rows * left_row}, begin, left_row));
  piece.arguments.push_back(
      {DNNL_ARG_WEIGHTS, right, {Place::kInput, 1, 0, r.shared_right ? 0 : r.depth * r.columns * element}});
  piece.arguments.push_back(
      dense_argument(DNNL_ARG_DST, result, {Place::kOutput, 0, 0, r.rows * result_row}, begin, result_row));
  add_scratchpad(descriptor, piece);
  return piece;
}

}  // namespace

Verdict applies_matmul(const TacticQuery& query) {
  if (query.constant(0) || query.constant(1)) return Verdict::no("an operand is constant");
  if (const Verdict verdict = check_activations(query); !verdict.applies) return verdict;
  for (int i = 0; i < 2; ++i)
    if (query.input(i).type.dtype != query.output().type.dtype) return Verdict::no("mixed element types");
  const auto reading = read_matmul(query);
  if (!reading.ok()) return Verdict::no("{}", reading.error().text());
  return Verdict::yes();
}

Verdict confirm_matmul(const TacticQuery& query) {
  const auto reading = read_matmul(query);
  if (!reading.ok()) return Verdict::no("{}", reading.error().text());
  const auto piece = make_piece(*reading, 0, reading->rows);
  return piece.ok() ? Verdict::yes() : Verdict::no("{}", piece.error().text());
}

TacticLayouts layouts_matmul(const TacticQuery& query) { return uniform_layouts(query, Layout::kRowMajor); }

double cost_matmul(const TacticQuery& query) {
  return estimate_us(query, query.output().type.dtype == DType::kBf16 ? 60.0 : 40.0, 12.0, 3.0);
}

Result<std::unique_ptr<Step>> build_matmul(const TacticQuery& query) {
  FOVEA_TRY(const MatmulReading reading, read_matmul(query));
  Program program{reading.slices, {}, nullptr};
  const std::int64_t cut = reading.rows >= kMinBandRows ? (reading.rows + 1) / 2 : reading.rows;
  for (std::int64_t begin = 0; begin < reading.rows; begin += cut) {
    FOVEA_TRY(Piece piece, make_piece(reading, begin, std::min(reading.rows, begin + cut)));
    program.whole.push_back(std::move(piece));
  }
  return make_primitive_step(std::move(program), query.threads);
}

}  // namespace fovea::onednn
