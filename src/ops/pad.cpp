#include <algorithm>

#include "ops/axes.h"
#include "ops/extents.h"
#include "ops/integer_operand.h"
#include "ops/op_functions.h"
#include "ops/operands.h"
#include "ops/strided.h"

namespace fovea::ops {
namespace {

enum class PadMode { kConstant, kReflect, kEdge, kWrap };

Result<PadMode> read_mode(const AttributeReader& attributes) {
  FOVEA_TRY(const std::string mode, attributes.text("mode", "constant"));
  if (mode == "constant") return PadMode::kConstant;
  if (mode == "reflect") return PadMode::kReflect;
  if (mode == "edge") return PadMode::kEdge;
  if (mode == "wrap") return PadMode::kWrap;
  return bad_input("attribute mode: expected constant, reflect, edge or wrap, found {}", mode);
}

// Elements added (or, negative, removed) before and after every axis.
struct Pads {
  std::vector<std::int64_t> before, after;
};

// Nothing while pads or axes are not known. The input must be ranked.
Result<std::optional<Pads>> read_pads(const InferContext& context) {
  const int rank = context.shape(0).rank();
  FOVEA_TRY(const auto values, known_integers(context, 1, "pads"));
  std::vector<int> axes;
  if (context.has(3)) {
    FOVEA_TRY(const auto given, known_integers(context, 3, "axes"));
    if (!given) return std::optional<Pads>();
    FOVEA_TRY(axes, resolve_axes("operand axes", *given, rank));
  } else {
    for (int axis = 0; axis < rank; ++axis) axes.push_back(axis);
  }
  if (const auto length = values ? static_cast<std::int64_t>(values->size()) : known_length(context, 1);
      length && *length != static_cast<std::int64_t>(2 * axes.size()))
    return bad_input("operand pads: expected {} values, 2 for each of {} axes, found {}", 2 * axes.size(), axes.size(),
                     *length);
  if (!values) return std::optional<Pads>();
  Pads pads{std::vector<std::int64_t>(static_cast<std::size_t>(rank)),
            std::vector<std::int64_t>(static_cast<std::size_t>(rank))};
  for (std::size_t i = 0; i < axes.size(); ++i) {
    pads.before[static_cast<std::size_t>(axes[i])] = (*values)[i];
    pads.after[static_cast<std::size_t>(axes[i])] = (*values)[axes.size() + i];
  }
  return std::optional(std::move(pads));
}

Result<Dim> padded(const Dim& extent, std::int64_t before, std::int64_t after, PadMode mode) {
  std::int64_t both = 0;
  // Beyond any tensor, and far from where index arithmetic would overflow.
  constexpr std::int64_t kLimit = std::int64_t{1} << 46;
  if (__builtin_add_overflow(before, after, &both) || before > kLimit || before < -kLimit || after > kLimit ||
      after < -kLimit)
    return make_error(ErrorCode::kResource, "operand pads: {} and {} exceed 2^46", before, after);
  if (extent.is_fixed()) {
    const std::int64_t kept = extent.extent() + std::min<std::int64_t>(before, 0) + std::min<std::int64_t>(after, 0);
    if (kept < 0)
      return bad_input("operand pads: {} and {} remove more than the extent of {}", before, after, extent.extent());
    if (kept == 0 && (before > 0 || after > 0) && mode != PadMode::kConstant)
      return bad_input("operand pads: an empty axis can only be padded with a constant");
  }
  return plus(extent, both);
}

// One axis while it is padded: the input is cropped to `kept` indices from `first` on, then grows by `added` in front.
struct AxisMap {
  std::int64_t first = 0, kept = 0, added = 0;
  PadMode mode = PadMode::kConstant;

  AxisMap(std::int64_t extent, std::int64_t before, std::int64_t after, PadMode pad_mode)
      : first(std::max<std::int64_t>(0, -before)),
        kept(extent - first - std::max<std::int64_t>(0, -after)),
        added(std::max<std::int64_t>(0, before)),
        mode(pad_mode) {}

  // Where index i of the result comes from in the input, -1 for the constant.
  std::int64_t source(std::int64_t i) const {
    i -= added;
    if (i >= 0 && i < kept) return first + i;
    switch (mode) {
      case PadMode::kConstant:
        return -1;
      case PadMode::kEdge:
        return first + (i < 0 ? 0 : kept - 1);
      case PadMode::kWrap:
        return first + modulo(i, kept);
      case PadMode::kReflect:
        break;
    }
    // The axis followed by its mirror image without the two end elements repeats.
    const std::int64_t period = std::max<std::int64_t>(1, 2 * (kept - 1)), at = modulo(i, period);
    return first + (at < kept ? at : period - at);
  }

  static std::int64_t modulo(std::int64_t a, std::int64_t n) { return (a % n + n) % n; }
};

template <class T>
void fill_padded(const Tensor& in, const std::vector<AxisMap>& axes, T fill, Tensor& out) {
  const Dims strides = row_major_strides(in.dims());
  const T* from = static_cast<const T*>(in.raw());
  T* to = static_cast<T*>(out.raw());
  Dims index(axes.size(), 0);
  for (std::int64_t i = 0; i < out.count(); ++i) {
    std::int64_t offset = 0;
    bool inside = true;
    for (std::size_t axis = 0; inside && axis < axes.size(); ++axis) {
      const std::int64_t at = axes[axis].source(index[axis]);
      inside = at >= 0;
      offset += at * strides[axis];
    }
    to[i] = inside ? from[offset] : fill;
    for (std::size_t axis = axes.size(); axis-- > 0;) {
      if (++index[axis] < out.dims()[axis]) break;
      index[axis] = 0;
    }
  }
}

}  // namespace

Status infer_pad(InferContext& context) {
  FOVEA_TRY(const PadMode mode, read_mode(context.attributes()));
  if (context.has(2)) {
    FOVEA_RETURN_IF_ERROR(expect_same_type(context, 2, "constant_value", 0, "data"));
    if (const auto dims = context.shape(2).fixed(); dims && element_count(*dims) != 1)
      return bad_input("operand constant_value: expected one value, found {}", context.type(2).text());
  }
  Shape shape = context.shape(0);
  if (!shape.is_ranked()) return add_output(context, context.type(0).dtype, Shape());
  FOVEA_TRY(const auto pads, read_pads(context));
  for (int axis = 0; axis < shape.rank(); ++axis) {
    const auto a = static_cast<std::size_t>(axis);
    if (pads) {
      FOVEA_TRY(shape[axis], padded(shape[axis], pads->before[a], pads->after[a], mode));
    } else {
      shape[axis] = Dim();
    }
  }
  return add_output(context, context.type(0).dtype, std::move(shape));
}

Status evaluate_pad(EvalContext& context) {
  FOVEA_TRY(const InferContext checked, checked_for_evaluation(context, infer_pad));
  FOVEA_TRY(Tensor out, new_output(checked));
  FOVEA_TRY(const PadMode mode, read_mode(context.attributes()));
  FOVEA_TRY(const auto pads, read_pads(checked));
  const Tensor& in = context.input(0);
  std::vector<AxisMap> axes;
  for (std::size_t axis = 0; axis < in.dims().size(); ++axis)
    axes.emplace_back(in.dims()[axis], pads->before[axis], pads->after[axis], mode);
  dispatch_bytes(size_of(out.dtype()), [&](auto tag) {
    using T = decltype(tag);
    // All bits zero are the default constant 0 of every element type.
    fill_padded<T>(in, axes, context.has(2) ? *static_cast<const T*>(context.input(2).raw()) : T{0}, out);
  });
  context.outputs.push_back(std::move(out));
  return {};
}

}  // namespace fovea::ops
