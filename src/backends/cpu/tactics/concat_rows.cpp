// concat_rows: concatenation along any axis as copies of contiguous rows, in either physical order.
#include <algorithm>

#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"
#include "kernels/reorder/reorder.h"

namespace fovea::cpu {
namespace {

// Extents in physical order.
Dims physical(const Dims& dims, Layout layout) {
  if (layout == Layout::kRowMajor || dims.size() < 3) return dims;
  Dims out = {dims[0]};
  out.insert(out.end(), dims.begin() + 2, dims.end());
  out.push_back(dims[1]);
  return out;
}

std::int64_t physical_axis(std::int64_t axis, std::int64_t rank, Layout layout) {
  if (layout == Layout::kRowMajor || rank < 3 || axis == 0) return axis;
  return axis == 1 ? rank - 1 : axis - 1;
}

class ConcatStep : public Step {
 public:
  ConcatStep(const TacticQuery& query, std::int64_t axis) : copy_(kernels::select_reorder(query.cpu).copy_rows) {
    const Layout layout = query.output().layout;
    const Dims out = physical(query.output_dims(), layout);
    const auto at = static_cast<std::size_t>(physical_axis(axis, static_cast<std::int64_t>(out.size()), layout));
    const auto element = static_cast<std::int64_t>(size_of(query.output().type.dtype));
    const auto row_bytes = [&](const Dims& d) { return element_count(Dims(d.begin() + static_cast<std::ptrdiff_t>(at), d.end())) * element; };
    rows_ = element_count(Dims(out.begin(), out.begin() + static_cast<std::ptrdiff_t>(at)));
    out_row_bytes_ = row_bytes(out);
    std::int64_t offset = 0;
    for (int i = 0; i < static_cast<int>(query.node.inputs.size()); ++i) {
      Piece piece{row_bytes(physical(query.input_dims(i), layout)), offset, {}};
      if (const Tensor* constant = query.constant(i))
        piece.constant = constant->rank() >= 3 ? constant->in_layout(layout) : *constant;
      offset += piece.row_bytes;
      pieces_.push_back(std::move(piece));
    }
  }
  void run(const StepContext& context) const override {
    const std::int64_t grain = std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, out_row_bytes_));
    context.pool.split(rows_, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::size_t i = 0; i < pieces_.size(); ++i) {
        const Piece& p = pieces_[i];
        if (p.row_bytes == 0) continue;
        const void* source = p.constant.count() ? p.constant.raw() : context.inputs[i];
        copy_({p.row_bytes, source, p.row_bytes, static_cast<std::byte*>(context.outputs[0]) + p.offset, out_row_bytes_},
              begin, end);
      }
    });
  }

 private:
  struct Piece {
    std::int64_t row_bytes, offset;
    Tensor constant;
  };
  void (*copy_)(const kernels::CopyRowsArgs&, std::int64_t, std::int64_t);
  std::int64_t rows_ = 0, out_row_bytes_ = 0;
  std::vector<Piece> pieces_;
};

Result<std::int64_t> axis_of(const TacticQuery& query) {
  FOVEA_TRY(const std::int64_t axis, AttributeReader(query.node).integer("axis"));
  return axis < 0 ? axis + static_cast<std::int64_t>(query.output_dims().size()) : axis;
}

}  // namespace

Verdict concat_rows::applies(const TacticQuery& query) {
  const auto axis = axis_of(query);
  return axis.ok() ? Verdict::yes() : Verdict::no("{}", axis.error().text());
}
TacticLayouts concat_rows::layouts(const TacticQuery& query) { return uniform_layouts(query, query.output().layout); }
double concat_rows::cost_us(const TacticQuery& query) { return estimate_us(query, 1, 12, 0.5); }
Result<std::unique_ptr<Step>> concat_rows::build(const TacticQuery& query) {
  FOVEA_TRY(const std::int64_t axis, axis_of(query));
  return std::unique_ptr<Step>(std::make_unique<ConcatStep>(query, axis));
}

}  // namespace fovea::cpu
