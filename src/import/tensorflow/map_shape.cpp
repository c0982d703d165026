// Shapes, data movement and reductions. On images that are held channels first, axes are renumbered where the result
// has the same order, and turned back where it has not.
#include <algorithm>
#include <limits>

#include "import/tensorflow/node_context.h"
#include "import/wire/names.h"
#include "ops/onnx_element_type.h"

namespace fovea::tensorflow_import {
namespace {

// An operand whose axes an operator names: channels first, with `axes` renumbered, if it is held so and the operator
// leaves an image; else in the order of the file. Axes count from 0 afterwards.
struct Axed {
  ValueId value = kNoValue;
  std::vector<std::int64_t> axes;
  bool is_image = false;
};

Result<Axed> axed(NodeContext& node, std::vector<std::int64_t> axes, bool leaves_image) {
  Axed out;
  const Shape shape = node.shape(0);
  out.is_image = leaves_image && node.input(0).is_image();
  for (std::int64_t& axis : axes) {
    if (!shape.is_ranked()) {
      if (axis < 0) return unsupported("axis {} of a tensor whose number of dimensions is not known", axis);
      continue;
    }
    FOVEA_TRY(axis, resolved_axis(axis, shape.rank()));
    if (out.is_image) axis = channels_first_axis(axis);
  }
  out.value = out.is_image ? node.input(0).channels_first : node.value(0);
  out.axes = std::move(axes);
  return out;
}

// Whether taking these axes off an image leaves the others in one order whether it is held NHWC or NCHW.
bool same_order_without(const std::vector<std::int64_t>& axes) {
  const auto has = [&](std::int64_t axis) {
    return std::any_of(axes.begin(), axes.end(), [&](std::int64_t a) { return (a < 0 ? a + 4 : a) == axis; });
  };
  return (has(1) && has(2)) || has(3);
}

// Takes axes off an image held channels first without turning it, if possible.
Result<Axed> reduced(NodeContext& node, const std::vector<std::int64_t>& axes) {
  if (!node.input(0).is_image() || !same_order_without(axes)) return axed(node, axes, false);
  return axed(node, axes, true);
}

Status give_extents(NodeContext& node, std::vector<Dim> values, bool scalar) {
  return node.give(Held{.extents = std::move(values), .extents_are_scalar = scalar});
}

// The elements begin, begin + stride… before end, of extents.
std::vector<Dim> strided(const std::vector<Dim>& values, std::int64_t begin, std::int64_t end, std::int64_t stride) {
  std::vector<Dim> out;
  for (std::int64_t i = begin; stride > 0 ? i < end : i > end; i += stride)
    if (i >= 0 && i < std::ssize(values)) out.push_back(values[static_cast<std::size_t>(i)]);
  return out;
}

// Operands of a Slice in canonical form.
struct Ranges {
  std::vector<std::int64_t> begins, ends, axes, strides;
};

ValueId slice(NodeContext& node, const std::string& suffix, ValueId x, const Ranges& ranges) {
  if (ranges.axes.empty()) return node.call("Identity", suffix, {x});
  const ValueId begins = node.integers_value("begins", ranges.begins);
  const ValueId ends = node.integers_value("ends", ranges.ends);
  const ValueId axes = node.integers_value("axes", ranges.axes);
  return node.call("Slice", suffix, {x, begins, ends, axes, node.integers_value("strides", ranges.strides)});
}

Status give_reshaped(NodeContext& node, ValueId flat, const std::vector<std::int64_t>& target) {
  Attributes attributes;
  if (std::find(target.begin(), target.end(), 0) != target.end()) attributes["allowzero"] = std::int64_t{1};
  // One pixel an image: the same elements channels first, which is what convolutions behind it want.
  const bool pixel = target.size() == 4 && target[1] == 1 && target[2] == 1;
  const std::vector<std::int64_t> wanted = pixel ? std::vector<std::int64_t>{target[0], target[3], 1, 1} : target;
  const ValueId y = node.call("Reshape", "", {flat, node.integers_value("shape", wanted)}, std::move(attributes));
  return node.give_image(y, pixel);
}

// A value whose elements lie as in the file, whatever its shape.
ValueId flat_operand(NodeContext& node) {
  Held& held = node.input(0);
  const Shape shape = node.shape(0);
  const bool pixel = shape.rank() == 4 && shape[1].extent() == 1 && shape[2].extent() == 1;
  const bool plane = shape.rank() == 4 && shape[3].extent() == 1;
  return held.is_image() && held.file_order == kNoValue && (pixel || plane) ? held.channels_first : node.value(0);
}

}  // namespace

Status map_shape(NodeContext& node) {
  const Shape shape = node.shape(0);
  if (!shape.is_ranked()) return unsupported("the number of dimensions is not known");
  return give_extents(node, shape.dims(), false);
}

Status map_reshape(NodeContext& node) {
  std::vector<std::int64_t> target;
  int open = 0;
  if (const auto known = node.constant(1, "shape"); known.ok()) {
    FOVEA_TRY(target, node.integers(1, "shape"));
    for (const std::int64_t v : target) {
      open += v == -1;
      if (v < -1) return bad_input("input 1 (shape): expected extents of at least -1, found {}", v);
    }
  } else if (const auto extents = node.extents(1)) {
    for (const Dim& d : *extents) {
      target.push_back(d.is_fixed() ? d.extent() : -1);
      open += !d.is_fixed();
    }
  } else {
    return unsupported("input 1 (shape): expected a constant, or extents of the inputs");
  }
  if (open > 1) return unsupported("input 1 (shape): {} of its extents are not known before the network runs", open);
  if (const auto values = node.extents(0); values && node.input(0).extents && target.size() <= 1) {
    return give_extents(node, *values, target.empty());
  }
  return give_reshaped(node, flat_operand(node), target);
}

Status map_squeeze(NodeContext& node) {
  std::vector<std::int64_t> axes = node.attributes.integers("squeeze_dims");
  const Shape shape = node.shape(0);
  if (const auto values = node.extents(0); values && node.input(0).extents) return give_extents(node, *values, true);
  if (axes.empty()) {
    if (!shape.is_ranked()) return unsupported("the number of dimensions is not known");
    for (int i = 0; i < shape.rank(); ++i)
      if (shape[i].extent() == 1) axes.push_back(i);
    if (axes.empty()) return node.give_input(0);
  }
  FOVEA_TRY(const Axed x, reduced(node, axes));
  return node.give(node.call("Squeeze", "", {x.value, node.integers_value("axes", x.axes)}));
}

Status map_expand_dims(NodeContext& node) {
  FOVEA_TRY(const std::int64_t axis, node.integer(1, "dim"));
  if (node.input(0).extents && node.input(0).extents_are_scalar)
    return give_extents(node, *node.input(0).extents, false);
  return node.give(node.call("Unsqueeze", "", {node.value(0), node.integers_value("axes", {axis})}));
}

Status map_transpose(NodeContext& node) {
  FOVEA_TRY(const std::vector<std::int64_t> perm, node.integers(1, "perm"));
  // Between the two orders of images nothing needs to move.
  if (perm == std::vector<std::int64_t>{0, 3, 1, 2} && node.input(0).is_image())
    return node.give(node.input(0).channels_first);
  if (perm == std::vector<std::int64_t>{0, 2, 3, 1} && node.shape(0).rank() == 4)
    return node.give(Held{.channels_first = node.value(0)});
  return node.give(node.call("Transpose", "", {node.value(0)}, {{"perm", perm}}));
}

Status map_concat(NodeContext& node) {
  const bool axis_first = node.op == "Concat";
  const int axis_input = axis_first ? 0 : node.input_count() - 1, begin = axis_first ? 1 : 0;
  const int end = axis_first ? node.input_count() : node.input_count() - 1;
  FOVEA_TRY(std::int64_t axis, node.integer(axis_input, "axis"));
  bool image = false, all_of_rank_4 = true, any_extents = false;
  std::vector<Dim> joined;
  for (int i = begin; i < end; ++i) {
    image = image || node.input(i).is_image();
    all_of_rank_4 = all_of_rank_4 && node.shape(i).rank() == 4;
    any_extents = any_extents || node.input(i).extents.has_value();
  }
  if (any_extents) {
    for (int i = begin; i < end; ++i) {
      const auto values = node.extents(i);
      if (!values) return unsupported("input {}: extents joined with a value computed at run time", i);
      joined.insert(joined.end(), values->begin(), values->end());
    }
    return give_extents(node, std::move(joined), false);
  }
  image = image && all_of_rank_4;
  if (image) {
    FOVEA_TRY(axis, resolved_axis(axis, 4));
    axis = channels_first_axis(axis);
  }
  std::vector<ValueId> parts;
  for (int i = begin; i < end; ++i) {
    FOVEA_TRY(parts.emplace_back(), image ? node.image(i, true) : Result<ValueId>(node.value(i)));
  }
  return node.give_image(node.call("Concat", "", std::move(parts), {{"axis", axis}}), image);
}

Status map_pack(NodeContext& node) {
  const std::int64_t axis = node.attributes.integer("axis", 0);
  std::vector<Dim> joined;
  for (int i = 0; i < node.input_count(); ++i) {
    const auto values = node.extents(i);
    if (!values || values->size() != 1 || node.shape(i).rank() != 0) {
      // -1 in a list of extents means "whatever is left", as unknown ones do.
      const auto rest = node.integers(i, "extent");
      if (!rest.ok() || *rest != std::vector<std::int64_t>{-1}) break;
      joined.emplace_back();
      continue;
    }
    joined.push_back((*values)[0]);
  }
  if (std::ssize(joined) == node.input_count()) return give_extents(node, std::move(joined), false);
  const ValueId axes = node.integers_value("axes", {axis});
  std::vector<ValueId> parts;
  for (int i = 0; i < node.input_count(); ++i)
    parts.push_back(node.call("Unsqueeze", fmt::format("part_{}", i), {node.value(i), axes}));
  return node.give(node.call("Concat", "", std::move(parts), {{"axis", axis}}));
}

Status map_slice(NodeContext& node) {
  FOVEA_TRY(const auto begin, node.integers(1, "begin"));
  FOVEA_TRY(const auto size, node.integers(2, "size"));
  if (begin.size() != size.size() || begin.size() > kMaxRank)
    return bad_input("expected as many begins as sizes, found {} and {}", begin.size(), size.size());
  Ranges ranges;
  std::vector<std::int64_t> axes;
  for (std::size_t i = 0; i < begin.size(); ++i) {
    if (begin[i] < 0 || size[i] < -1 || begin[i] > (std::int64_t{1} << 46) || size[i] > (std::int64_t{1} << 46))
      return bad_input("begin {} and size {} of axis {} are out of range", begin[i], size[i], i);
    if (begin[i] == 0 && size[i] == -1) continue;
    axes.push_back(static_cast<std::int64_t>(i));
    ranges.begins.push_back(begin[i]);
    ranges.ends.push_back(size[i] == -1 ? std::numeric_limits<std::int64_t>::max() : begin[i] + size[i]);
    ranges.strides.push_back(1);
  }
  if (const auto values = node.extents(0); values && node.input(0).extents && begin.size() == 1) {
    const std::int64_t end =
        size[0] == -1 ? std::ssize(*values) : std::min<std::int64_t>(begin[0] + size[0], std::ssize(*values));
    return give_extents(node, strided(*values, begin[0], end, 1), false);
  }
  FOVEA_TRY(const Axed x, axed(node, axes, true));
  ranges.axes = x.axes;
  return node.give_image(slice(node, "", x.value, ranges), x.is_image);
}

namespace {

// StridedSlice taken apart: ranges of the operand's axes, axes to take off, axes to put in.
struct Strided {
  Ranges ranges;
  std::vector<std::int64_t> removed, added;
};

Result<Strided> read_strided(NodeContext& node) {
  FOVEA_TRY(const auto begin, node.integers(1, "begin"));
  FOVEA_TRY(const auto end, node.integers(2, "end"));
  FOVEA_TRY(const auto stride, node.integers(3, "strides"));
  if (begin.size() != end.size() || begin.size() != stride.size() || begin.size() > 2 * kMaxRank)
    return bad_input("expected as many begins, ends and strides, found {}, {} and {}", begin.size(), end.size(),
                     stride.size());
  const auto bit = [&](const char* mask, std::size_t i) { return ((node.attributes.integer(mask, 0) >> i) & 1) != 0; };
  constexpr std::int64_t kLast = std::numeric_limits<std::int64_t>::max();
  Strided out;
  std::int64_t axis = 0, result_axis = 0;
  for (std::size_t i = 0; i < begin.size(); ++i) {
    if (bit("ellipsis_mask", i)) {
      if (i + 1 < begin.size()) return unsupported("an ellipsis before the last range");
      break;
    }
    if (bit("new_axis_mask", i)) {
      out.added.push_back(result_axis++);
      continue;
    }
    if (stride[i] == 0) return bad_input("input 3 (strides): stride 0 of axis {}", axis);
    out.ranges.axes.push_back(axis);
    if (bit("shrink_axis_mask", i)) {
      out.removed.push_back(axis++);
      out.ranges.begins.push_back(begin[i]);
      out.ranges.ends.push_back(begin[i] == -1 ? kLast : begin[i] + 1);
      out.ranges.strides.push_back(1);
      continue;
    }
    const bool backwards = stride[i] < 0;
    out.ranges.begins.push_back(bit("begin_mask", i) ? (backwards ? kLast : 0) : begin[i]);
    out.ranges.ends.push_back(bit("end_mask", i) ? (backwards ? -kLast : kLast) : end[i]);
    out.ranges.strides.push_back(stride[i]);
    ++axis;
    ++result_axis;
  }
  return out;
}

Status give_strided_extents(NodeContext& node, const Strided& s) {
  const std::vector<Dim>& values = *node.input(0).extents;
  const std::int64_t n = std::ssize(values);
  if (s.ranges.axes.size() != 1 || !s.added.empty()) return unsupported("a slice of extents along several axes");
  const auto place = [&](std::int64_t at) { return std::clamp<std::int64_t>(at < 0 ? at + n : at, -1, n); };
  const std::int64_t stride = s.ranges.strides[0];
  if (stride < -64 || stride > 64) return unsupported("extents at a stride of {}", stride);
  std::int64_t begin = place(s.ranges.begins[0]), end = place(s.ranges.ends[0]);
  if (s.ranges.ends[0] < -n) end = -1;
  if (stride < 0) begin = std::min(begin, n - 1);
  const bool scalar = !s.removed.empty();
  std::vector<Dim> taken = strided(values, begin, end, stride);
  if (scalar && taken.size() != 1) return bad_input("an index of {} extents is out of range", n);
  return give_extents(node, std::move(taken), scalar);
}

}  // namespace

Status map_strided_slice(NodeContext& node) {
  FOVEA_TRY(Strided s, read_strided(node));
  if (node.input(0).extents) return give_strided_extents(node, s);
  FOVEA_TRY(const Axed x, axed(node, s.ranges.axes, s.removed.empty() && s.added.empty()));
  s.ranges.axes = x.axes;
  const bool last = s.removed.empty() && s.added.empty();
  ValueId y = slice(node, last ? "" : "slice", x.value, s.ranges);
  if (!s.removed.empty())
    y = node.call("Squeeze", s.added.empty() ? "" : "squeezed", {y, node.integers_value("removed", s.removed)});
  if (!s.added.empty()) y = node.call("Unsqueeze", "", {y, node.integers_value("added", s.added)});
  return node.give_image(y, x.is_image);
}

Status map_pad(NodeContext& node) {
  FOVEA_TRY(const Tensor* const paddings, node.constant(1, "paddings"));
  if (paddings->rank() != 2 || paddings->dim(1) != 2 || !is_integer(paddings->dtype()) || paddings->dim(0) > kMaxRank)
    return bad_input("input 1 (paddings): expected integers [n,2], found {}", paddings->type().text());
  const auto listed = paddings->to_int64s();
  const std::size_t rank = listed.size() / 2;
  const Shape shape = node.shape(0);
  if (shape.is_ranked() && shape.rank() != static_cast<int>(rank))
    return bad_input("input 1 (paddings): expected {} axes, found {}", shape.rank(), rank);
  const bool image = node.input(0).is_image() && rank == 4;
  std::vector<std::int64_t> pads(2 * rank);
  for (std::size_t i = 0; i < rank; ++i) {
    const auto to = image ? static_cast<std::size_t>(channels_first_axis(static_cast<std::int64_t>(i))) : i;
    pads[to] = listed[2 * i];
    pads[rank + to] = listed[2 * i + 1];
  }
  if (std::any_of(listed.begin(), listed.end(), [](std::int64_t p) { return p < 0; }))
    return bad_input("input 1 (paddings): expected none below 0");
  std::vector<ValueId> inputs = {image ? node.input(0).channels_first : node.value(0),
                                 node.integers_value("pads", pads)};
  Attributes attributes;
  if (node.op == "PadV2") inputs.push_back(node.value(2));
  if (node.op == "MirrorPad") {
    const std::string mode = node.attributes.text("mode", "");
    if (mode != "REFLECT") return unsupported("attribute mode: expected REFLECT, found {}", wire::shown(mode));
    attributes["mode"] = std::string("reflect");
  }
  return node.give_image(node.call("Pad", "", std::move(inputs), std::move(attributes)), image);
}

Status map_reduce(NodeContext& node) {
  if (node.op == "Prod" && node.input(0).extents) {
    std::int64_t product = 1;
    for (const Dim& d : *node.input(0).extents) {
      if (product >= 0 && d.extent() > (std::int64_t{1} << 46) / std::max<std::int64_t>(1, product))
        return bad_input("the product of the extents exceeds 2^46");
      product = !d.is_fixed() || product < 0 ? -1 : product * d.extent();
    }
    return give_extents(node, {product < 0 ? Dim() : Dim(product)}, true);
  }
  FOVEA_TRY(const std::vector<std::int64_t> axes, node.integers(1, "reduction indices"));
  const bool keep = node.attributes.flag("keep_dims", false);
  if (axes.empty()) return node.give_input(0);
  FOVEA_TRY(const Axed x, keep ? axed(node, axes, true) : reduced(node, axes));
  const ValueId y = node.call("Reduce" + node.op, "", {x.value, node.integers_value("axes", x.axes)},
                              {{"keepdims", std::int64_t{keep}}});
  return node.give_image(y, keep && x.is_image);
}

Status map_arg_max(NodeContext& node) {
  FOVEA_TRY(const std::int64_t axis, node.integer(1, "dimension"));
  FOVEA_TRY(const Axed x, reduced(node, {axis}));
  FOVEA_TRY(const DType wanted, decode_dtype(node.attributes.type("output_type", tf::DT_INT64)));
  const bool cast = wanted != DType::kS64;
  const ValueId index =
      node.call(node.op, cast ? "index" : "", {x.value}, {{"axis", x.axes[0]}, {"keepdims", std::int64_t{0}}});
  return node.give(cast ? node.call("Cast", "", {index}, {{"to", onnx_number_of(wanted)}}) : index);
}

}  // namespace fovea::tensorflow_import
