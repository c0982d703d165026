#include "import/tensorflow/node_context.h"

#include <algorithm>

#include "import/wire/names.h"

namespace fovea::tensorflow_import {

NodeContext::NodeContext(ValueStore& store, tf::NodeDef& node, int index, const std::vector<Port>& inputs)
    : op(node.op()), name(node.name()), attributes(node), store(store), index_(index) {
  for (const Port& port : inputs) operands_.push_back(store.find(port));
}

bool NodeContext::is_dead() const {
  return std::any_of(operands_.begin(), operands_.end(), [](const Held* held) { return held->dead; });
}

Result<ValueId> NodeContext::image(int i, bool nhwc) {
  const Shape known = shape(i);
  if (known.is_ranked() && known.rank() != 4)
    return bad_input("input {}: expected an image of 4 dimensions, found {}", i, known.text());
  return nhwc ? store.channels_first(input(i), input_name(i)) : value(i);
}

bool NodeContext::any_image() {
  bool any = false, fits = true;
  for (int i = 0; i < input_count(); ++i) {
    any = any || input(i).is_image();
    fits = fits && shape(i).is_ranked() && shape(i).rank() <= 4;
  }
  return any && fits;
}

Result<ValueId> NodeContext::aligned(int i, bool as_image) {
  const int rank = shape(i).rank();
  if (!as_image || rank == 0) return value(i);
  if (rank == 4) return store.channels_first(input(i), input_name(i));
  const std::string at = fmt::format("aligned_{}", i);
  const auto missing = static_cast<std::int64_t>(4 - rank);
  if (rank == 1) {  // one a channel
    const ValueId axes = integers_value(at + "_axes", {0, 2, 3});
    return call("Unsqueeze", at, {value(i), axes});
  }
  std::vector<std::int64_t> front;
  for (std::int64_t axis = 0; axis < missing; ++axis) front.push_back(axis);
  const ValueId wide = call("Unsqueeze", at + "_wide", {value(i), integers_value(at + "_axes", front)});
  return call("Transpose", at, {wide}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
}

Result<const Tensor*> NodeContext::constant(int i, const char* what) {
  const Held& held = input(i);
  if (held.constant && !held.quantised) return held.constant.get();
  if (held.extents) {
    const ValueId id = held.file_order;
    const bool known =
        std::all_of(held.extents->begin(), held.extents->end(), [](const Dim& d) { return d.is_fixed(); });
    if (known) return store.builder.graph().value(id == kNoValue ? value(i) : id).constant.get();
  }
  const ValueId id = held.file_order;
  if (id != kNoValue && store.builder.graph().value(id).is_constant())
    return store.builder.graph().value(id).constant.get();
  return unsupported("input {} ({}): expected a constant, found a value computed at run time", i, what);
}

Result<std::vector<std::int64_t>> NodeContext::integers(int i, const char* what) {
  FOVEA_TRY(const Tensor* const tensor, constant(i, what));
  if (!is_integer(tensor->dtype()))
    return bad_input("input {} ({}): expected integers, found {}", i, what, tensor->type().text());
  if (tensor->rank() > 1 || tensor->count() > 4096)
    return bad_input("input {} ({}): expected a list, found {}", i, what, tensor->type().text());
  return tensor->to_int64s();
}

Result<std::int64_t> NodeContext::integer(int i, const char* what) {
  FOVEA_TRY(const auto values, integers(i, what));
  if (values.size() != 1) return bad_input("input {} ({}): expected one integer, found {}", i, what, values.size());
  return values[0];
}

Result<float> NodeContext::number(int i, const char* what) {
  FOVEA_TRY(const Tensor* const tensor, constant(i, what));
  if (tensor->count() != 1 || tensor->dtype() == DType::kBool)
    return bad_input("input {} ({}): expected one number, found {}", i, what, tensor->type().text());
  return tensor->to_floats()[0];
}

std::optional<std::vector<Dim>> NodeContext::extents(int i) {
  if (input(i).extents) return input(i).extents;
  const auto known = constant(i, "");
  if (!known.ok() || !is_integer((*known)->dtype()) || (*known)->rank() > 1 || (*known)->count() > 64)
    return std::nullopt;
  std::vector<Dim> out;
  for (const std::int64_t v : (*known)->to_int64s()) {
    if (v < 0) return std::nullopt;  // an extent is never negative, and -1 would read as unknown
    out.emplace_back(v);
  }
  return out;
}

Result<bool> NodeContext::is_nhwc() const {
  const std::string format = attributes.text("data_format", "NHWC");
  if (format != "NHWC" && format != "NCHW")
    return unsupported("attribute data_format: expected NHWC or NCHW, found {}", wire::shown(format));
  return format == "NHWC";
}

ValueId NodeContext::call(const std::string& called, const std::string& suffix, std::vector<ValueId> inputs,
                          Attributes call_attributes) {
  // The plain name belongs to this node alone: names of the file are unique.
  const std::string output = suffix.empty() ? name : store.unique_name(name + "_" + suffix);
  return store.call(called, output, std::move(inputs), std::move(call_attributes));
}

ValueId NodeContext::constant_value(const std::string& suffix, Tensor tensor) {
  return store.builder.constant(store.unique_name(name + "_" + suffix), std::move(tensor));
}

ValueId NodeContext::integers_value(const std::string& suffix, const std::vector<std::int64_t>& values) {
  return constant_value(suffix, Tensor::of<std::int64_t>({std::ssize(values)}, std::span(values)));
}

Status NodeContext::give_input(int i, int output) { return give(Held(input(i)), output); }

Tensor scalar_of(DType dtype, double value) { return Tensor::scalar<double>(value).cast(dtype); }

std::int64_t channels_first_axis(std::int64_t axis) {
  constexpr std::int64_t kTo[] = {0, 2, 3, 1};
  return kTo[axis];
}

Result<std::int64_t> resolved_axis(std::int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) return bad_input("axis {}: expected one of {} dimensions", axis, rank);
  return axis < 0 ? axis + rank : axis;
}

}  // namespace fovea::tensorflow_import
