// strided_copy: Transpose, Slice and Expand: every result element is an input element at a place that is linear in the
// result's indices.
#include <algorithm>
#include <cstring>

#include "backends/cpu/operand.h"
#include "backends/cpu/tactic_functions.h"

namespace fovea::cpu {
namespace {

// Result extents in its physical order, with the input's step for each, in elements.
struct Walk {
  Dims extents;
  std::vector<std::int64_t> steps;
  std::int64_t start = 0;
};

// Elements from one index of a logical axis to the next, for a dense tensor in `layout`.
std::vector<std::int64_t> strides_of(const Dims& dims, Layout layout) {
  std::vector<std::int64_t> strides(dims.size(), 1);
  std::vector<std::size_t> order;  // logical axes, outermost first
  for (std::size_t i = 0; i < dims.size(); ++i) order.push_back(i);
  if (layout == Layout::kChannelsLast && dims.size() >= 3) {
    order.erase(order.begin() + 1);
    order.push_back(1);
  }
  std::int64_t stride = 1;
  for (auto axis = order.rbegin(); axis != order.rend(); ++axis) {
    strides[*axis] = stride;
    stride *= dims[*axis];
  }
  return strides;
}

// Per result axis (logical): which input step it takes, and where the walk starts.
Result<Walk> logical_walk(const TacticQuery& query, Layout in_layout) {
  const Dims in = query.input_dims(0), out = query.output_dims();
  const auto strides = strides_of(in, in_layout);
  Walk walk{out, std::vector<std::int64_t>(out.size(), 0), 0};
  if (query.node.op == "Transpose") {
    std::vector<std::int64_t> perm(in.size());
    for (std::size_t i = 0; i < perm.size(); ++i) perm[i] = static_cast<std::int64_t>(perm.size() - 1 - i);
    FOVEA_TRY(perm, AttributeReader(query.node).integers("perm", perm));
    for (std::size_t i = 0; i < perm.size(); ++i) walk.steps[i] = strides[static_cast<std::size_t>(perm[i])];
  } else if (query.node.op == "Expand") {
    const std::size_t lead = out.size() - in.size();
    for (std::size_t i = 0; i < in.size(); ++i) walk.steps[lead + i] = in[i] == 1 ? 0 : strides[i];
  } else {  // Slice
    for (std::size_t i = 0; i < in.size(); ++i) walk.steps[i] = strides[i];
    const auto starts = query.constant(1)->to_int64s();
    const auto rank = static_cast<std::int64_t>(in.size());
    for (std::size_t i = 0; i < starts.size(); ++i) {
      std::int64_t axis = query.has(3) ? query.constant(3)->to_int64s()[i] : static_cast<std::int64_t>(i);
      if (axis < 0) axis += rank;
      const std::int64_t step = query.has(4) ? query.constant(4)->to_int64s()[i] : 1;
      const std::int64_t extent = in[static_cast<std::size_t>(axis)];
      const std::int64_t start = std::clamp(starts[i] < 0 ? starts[i] + extent : starts[i], std::int64_t{0},
                                            step > 0 ? extent : extent - 1);
      walk.start += start * strides[static_cast<std::size_t>(axis)];
      if (out[static_cast<std::size_t>(axis)] > 1) walk.steps[static_cast<std::size_t>(axis)] *= step;
    }
  }
  return walk;
}

// The same with axes in the result's physical order, neighbours merged where the input walks on evenly.
Walk physical_walk(Walk walk, Layout out_layout) {
  if (out_layout == Layout::kChannelsLast && walk.extents.size() >= 3) {
    std::rotate(walk.extents.begin() + 1, walk.extents.begin() + 2, walk.extents.end());
    std::rotate(walk.steps.begin() + 1, walk.steps.begin() + 2, walk.steps.end());
  }
  Walk merged{{1}, {0}, walk.start};
  for (std::size_t i = 0; i < walk.extents.size(); ++i) {
    if (walk.extents[i] == 1) continue;
    const bool even = merged.steps.back() == walk.steps[i] * walk.extents[i];
    if (merged.extents.back() == 1) {
      merged.extents.back() = walk.extents[i];
      merged.steps.back() = walk.steps[i];
    } else if (even) {
      merged.extents.back() *= walk.extents[i];
      merged.steps.back() = walk.steps[i];
    } else {
      merged.extents.push_back(walk.extents[i]);
      merged.steps.push_back(walk.steps[i]);
    }
  }
  return merged;
}

template <class T>
void copy_row(const T* from, std::int64_t step, T* to, std::int64_t count) {
  if (step == 1) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
    return;
  }
  for (std::int64_t i = 0; i < count; ++i) to[i] = from[i * step];
}

class StridedCopyStep : public Step {
 public:
  StridedCopyStep(Walk walk, std::size_t element_bytes) : walk_(std::move(walk)), element_bytes_(element_bytes) {
    inner_ = walk_.extents.back();
    rows_ = element_count(walk_.extents) / std::max<std::int64_t>(1, inner_);
  }
  void run(const StepContext& context) const override {
    const std::int64_t grain = std::max<std::int64_t>(1, kEltwiseGrain / std::max<std::int64_t>(1, inner_));
    context.pool.split(rows_, grain, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t row = begin; row < end; ++row) copy(context, row);
    });
  }

 private:
  void copy(const StepContext& context, std::int64_t row) const {
    std::int64_t offset = walk_.start, rest = row;
    for (std::size_t axis = walk_.extents.size() - 1; axis-- > 0;) {
      offset += rest % walk_.extents[axis] * walk_.steps[axis];
      rest /= walk_.extents[axis];
    }
    const auto from_at = [&]<class T>(T) { return static_cast<const T*>(context.inputs[0]) + offset; };
    const auto to_at = [&]<class T>(T) { return static_cast<T*>(context.outputs[0]) + row * inner_; };
    const auto move = [&]<class T>(T tag) { copy_row(from_at(tag), walk_.steps.back(), to_at(tag), inner_); };
    switch (element_bytes_) {
      case 1: return move(std::uint8_t{});
      case 2: return move(std::uint16_t{});
      case 4: return move(std::uint32_t{});
      default: return move(std::uint64_t{});
    }
  }

  Walk walk_;
  std::size_t element_bytes_;
  std::int64_t inner_ = 1, rows_ = 1;
};

}  // namespace

Verdict strided_copy::applies(const TacticQuery& query) {
  if (query.constant(0)) return Verdict::no("the operand is constant");
  if (element_count(query.output_dims()) == 0) return Verdict::no("empty result");
  if (query.node.op == "Slice")
    for (int i = 1; i < 5; ++i)
      if (query.has(i) && !query.constant(i)) return Verdict::no("bounds are not constant");
  if (query.node.op == "Expand" && query.output_dims().size() < query.input_dims(0).size()) return Verdict::no("rank shrinks");
  return Verdict::yes();
}

// A transpose reads whatever order its operand has; the others stay in the result's order.
TacticLayouts strided_copy::layouts(const TacticQuery& query) {
  TacticLayouts layouts = uniform_layouts(query, Layout::kRowMajor);
  layouts.inputs[0] = query.input(0).type.shape.rank() >= 3 ? query.input(0).layout : Layout::kRowMajor;
  layouts.outputs[0] = query.output().type.shape.rank() >= 3 ? query.output().layout : Layout::kRowMajor;
  return layouts;
}

double strided_copy::cost_us(const TacticQuery& query) { return estimate_us(query, 1, 4, 0.5); }

Result<std::unique_ptr<Step>> strided_copy::build(const TacticQuery& query) {
  const TacticLayouts l = layouts(query);
  FOVEA_TRY(Walk walk, logical_walk(query, l.inputs[0]));
  return std::unique_ptr<Step>(std::make_unique<StridedCopyStep>(physical_walk(std::move(walk), l.outputs[0]),
                                                                 size_of(query.output().type.dtype)));
}

}  // namespace fovea::cpu
