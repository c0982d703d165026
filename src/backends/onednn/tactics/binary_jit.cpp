// Add, Sub, Mul, Div, Min, Max of two operands: equal shapes, one value a channel, or one value for all.
#include "backends/onednn/flat_program.h"
#include "backends/onednn/operands.h"
#include "backends/onednn/tactics.h"

namespace fovea::onednn {
namespace {

// How the second operand meets the first.
enum class Spread { kSame, kPerChannel, kScalar };

// Operands seen as rows of `channels` neighbours in memory (of 1 where all elements are alike).
struct BinaryReading {
  dnnl::algorithm algorithm = dnnl::algorithm::binary_add;
  int left = 0, right = 1;  // node inputs; the right one is spread
  Spread spread = Spread::kSame;
  std::int64_t images = 1, rows = 1, channels = 1;
  DType dtype = DType::kF32;
};

Result<dnnl::algorithm> algorithm_of(std::string_view op) {
  using dnnl::algorithm;
  if (op == "Add") return algorithm::binary_add;
  if (op == "Sub") return algorithm::binary_sub;
  if (op == "Mul") return algorithm::binary_mul;
  if (op == "Div") return algorithm::binary_div;
  if (op == "Min") return algorithm::binary_min;
  if (op == "Max") return algorithm::binary_max;
  return unsupported("operator {}", op);
}

// True if `dims` has extents other than 1 at most on the channel axis of a tensor of `rank`, and there `channels`.
bool is_per_channel(const Dims& dims, std::size_t rank, std::int64_t channels) {
  const std::size_t from_back = rank >= 3 ? rank - 1 : 1;  // the channel axis counted from the end
  if (dims.size() < from_back || dims.size() > rank) return false;
  return dims[dims.size() - from_back] == channels && element_count(dims) == channels;
}

// The same with a first axis of `batch`.
bool is_per_image_channel(const Dims& dims, std::size_t rank, std::int64_t batch, std::int64_t channels) {
  return rank >= 3 && dims.size() == rank && dims[0] == batch && dims[1] == channels &&
         element_count(dims) == batch * channels;
}

Result<BinaryReading> read_binary(const TacticQuery& query) {
  BinaryReading reading;
  FOVEA_TRY(reading.algorithm, algorithm_of(query.node.op));
  if (query.node.inputs.size() != 2) return unsupported("{} operands", query.node.inputs.size());
  const Dims y = query.output_dims();
  const bool commutes = query.node.op != "Sub" && query.node.op != "Div";
  if (query.constant(0) || query.input_dims(0) != y) {
    if (!commutes) return unsupported("the left operand is spread");
    std::swap(reading.left, reading.right);
  }
  if (query.constant(reading.left) || query.input_dims(reading.left) != y)
    return unsupported("both operands are spread");
  reading.dtype = query.output().type.dtype;
  const Dims other = query.input_dims(reading.right);
  const std::int64_t count = element_count(y);
  const std::size_t rank = y.size();
  if (other == y && (!query.constant(reading.right) || rank < 3)) {
    reading.rows = count;
    return reading;
  }
  if (element_count(other) == 1) {
    reading.spread = Spread::kScalar;
    reading.rows = count;
    return reading;
  }
  if (rank < 2) return unsupported("spread of {} over {}", to_string(other), to_string(y));
  reading.channels = rank >= 3 ? y[1] : y.back();
  reading.spread = Spread::kPerChannel;
  reading.rows = count / reading.channels;
  if (is_per_channel(other, rank, reading.channels)) return reading;
  if (query.constant(reading.right) || !is_per_image_channel(other, rank, y[0], reading.channels))
    return unsupported("spread of {} over {}", to_string(other), to_string(y));
  reading.images = y[0];
  reading.rows /= y[0];
  return reading;
}

Result<Piece> make_piece(const BinaryReading& reading, const std::shared_ptr<const PackedConstant>& constant,
                         std::int64_t begin, std::int64_t end) {
  using Tag = dnnl::memory::format_tag;
  const auto type = data_type_of(reading.dtype);
  const dnnl::memory::desc data({1, reading.channels, 1, end - begin}, type, Tag::nhwc);
  const dnnl::memory::desc spread({1, reading.spread == Spread::kPerChannel ? reading.channels : 1, 1,
                                   reading.spread == Spread::kSame ? end - begin : 1},
                                  type, Tag::nhwc);
  Piece piece;
  FOVEA_TRY(const auto descriptor, guarded("a binary step", [&] {
              const dnnl::binary::desc desc(reading.algorithm, data, spread, data);
              dnnl::binary::primitive_desc made(desc, step_attributes(), cpu_engine());
              piece.primitive = dnnl::binary(made);
              return made;
            }));
  if (is_reference(descriptor)) return unsupported("oneDNN has only its reference loops for this binary step");
  const std::int64_t element = static_cast<std::int64_t>(size_of(reading.dtype));
  const std::int64_t unit = reading.channels * element, image = reading.rows * unit;
  piece.arguments.push_back(dense_argument(DNNL_ARG_SRC_0, data, {Place::kInput, reading.left, 0, image}, begin, unit));
  if (constant) {
    piece.packed.push_back(constant);
    const std::int64_t offset = reading.spread == Spread::kSame ? begin * unit : 0;
    piece.arguments.push_back({DNNL_ARG_SRC_1, spread, {Place::kPacked, 0, offset, 0}});
  } else {
    Address right{Place::kInput, reading.right};
    if (reading.spread == Spread::kSame) right.offset_bytes = begin * unit;
    if (reading.images > 1) right.image_bytes = unit;
    piece.arguments.push_back({DNNL_ARG_SRC_1, spread, right});
  }
  piece.arguments.push_back(dense_argument(DNNL_ARG_DST, data, {Place::kOutput, 0, 0, image}, begin, unit));
  add_scratchpad(descriptor, piece);
  return piece;
}

}  // namespace

Verdict applies_binary(const TacticQuery& query) {
  if (const Verdict verdict = check_activations(query); !verdict.applies) return verdict;
  for (int i = 0; i < static_cast<int>(query.node.inputs.size()); ++i)
    if (query.input(i).type.dtype != query.output().type.dtype)
      return Verdict::no("operand {} is {}", i, dtype_name(query.input(i).type.dtype));
  const auto reading = read_binary(query);
  if (!reading.ok()) return Verdict::no("{}", reading.error().text());
  return Verdict::yes();
}

Verdict confirm_binary(const TacticQuery& query) {
  const auto reading = read_binary(query);
  if (!reading.ok()) return Verdict::no("{}", reading.error().text());
  const auto piece = make_piece(*reading, nullptr, 0, reading->rows);
  return piece.ok() ? Verdict::yes() : Verdict::no("{}", piece.error().text());
}

TacticLayouts layouts_binary(const TacticQuery& query) { return channels_last_layouts(query); }
double cost_binary(const TacticQuery& query) { return estimate_us(query, 1e3, 12.0, 2.0); }

Result<std::unique_ptr<Step>> build_binary(const TacticQuery& query) {
  FOVEA_TRY(const BinaryReading reading, read_binary(query));
  std::shared_ptr<const PackedConstant> constant;
  if (const Tensor* tensor = query.constant(reading.right)) {
    const dnnl::memory::desc dense({tensor->count()}, data_type_of(tensor->dtype()), dnnl::memory::format_tag::a);
    FOVEA_TRY(constant, pack(dense, tensor->raw(), dense));
  }
  const FlatShape shape{reading.images, reading.rows,
                        reading.channels * static_cast<std::int64_t>(size_of(reading.dtype)),
                        reading.channels == 1 ? 64 : 1};
  FOVEA_TRY(Program program, make_flat_program(shape, [=](std::int64_t begin, std::int64_t end) {
              return make_piece(reading, constant, begin, end);
            }));
  return make_primitive_step(std::move(program), query.threads);
}

}  // namespace fovea::onednn
