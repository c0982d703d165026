// Opcodes that make and fill containers, use the memo, and name or call globals.
#include <algorithm>

#include "import/torch/pickle_machine.h"

namespace fovea::torch_import {

// Containers

Status PickleMachine::push_tuple(std::size_t size) {
  if (stack_.size() - floor() < size)
    return bad_input("expected {} values on the stack, found {}", size, stack_.size() - floor());
  const auto first = stack_.end() - static_cast<std::ptrdiff_t>(size);
  std::vector<PickleRef> items(first, stack_.end());
  stack_.erase(first, stack_.end());
  return push_new({Kind::kTuple, 0, 0, {}, std::move(items)});
}

Status PickleMachine::op_tuple() {
  FOVEA_TRY(auto items, pop_to_mark());
  return push_new({Kind::kTuple, 0, 0, {}, std::move(items)});
}

Status PickleMachine::op_append() {
  FOVEA_TRY(const PickleRef item, pop_value());
  FOVEA_TRY(const PickleRef list, top(Kind::kList));
  document_.values[list].items.push_back(item);
  return {};
}

Status PickleMachine::op_appends() {
  FOVEA_TRY(const auto items, pop_to_mark());
  FOVEA_TRY(const PickleRef list, top(Kind::kList));
  auto& all = document_.values[list].items;
  all.insert(all.end(), items.begin(), items.end());
  return {};
}

Status PickleMachine::op_list() {
  FOVEA_TRY(auto items, pop_to_mark());
  return push_new({Kind::kList, 0, 0, {}, std::move(items)});
}

Status PickleMachine::op_set_item() {
  FOVEA_TRY(const PickleRef value, pop_value());
  FOVEA_TRY(const PickleRef key, pop_value());
  FOVEA_TRY(const PickleRef dict, top(Kind::kDict));
  auto& items = document_.values[dict].items;
  items.push_back(key);
  items.push_back(value);
  return {};
}

Status PickleMachine::op_set_items() {
  FOVEA_TRY(const auto items, pop_to_mark());
  if (items.size() % 2 != 0) return bad_input("{} values do not make pairs of key and value", items.size());
  FOVEA_TRY(const PickleRef dict, top(Kind::kDict));
  auto& all = document_.values[dict].items;
  all.insert(all.end(), items.begin(), items.end());
  return {};
}

Status PickleMachine::op_dict() {
  FOVEA_TRY(auto items, pop_to_mark());
  if (items.size() % 2 != 0) return bad_input("{} values do not make pairs of key and value", items.size());
  return push_new({Kind::kDict, 0, 0, {}, std::move(items)});
}

// Memo

Status PickleMachine::put(std::uint64_t slot) {
  if (slot >= kMaxMemo) return make_error(ErrorCode::kResource, "memo slot {}; the limit is {}", slot, kMaxMemo);
  if (stack_.size() <= floor()) return bad_input("the stack is empty");
  if (slot >= memo_.size()) memo_.resize(static_cast<std::size_t>(slot) + 1, kUnsetMemo);
  memo_[static_cast<std::size_t>(slot)] = stack_.back();
  return {};
}

Status PickleMachine::get(std::uint64_t slot) {
  if (slot >= memo_.size() || memo_[static_cast<std::size_t>(slot)] == kUnsetMemo)
    return bad_input("memo slot {} was never set", slot);
  return push(memo_[static_cast<std::size_t>(slot)]);
}

Status PickleMachine::op_bin_put() {
  FOVEA_TRY(const std::uint64_t slot, read_unsigned(1));
  return put(slot);
}
Status PickleMachine::op_long_bin_put() {
  FOVEA_TRY(const std::uint64_t slot, read_unsigned(4));
  return put(slot);
}
Status PickleMachine::op_bin_get() {
  FOVEA_TRY(const std::uint64_t slot, read_unsigned(1));
  return get(slot);
}
Status PickleMachine::op_long_bin_get() {
  FOVEA_TRY(const std::uint64_t slot, read_unsigned(4));
  return get(slot);
}

// Globals and calls

const AllowedGlobal* PickleMachine::find_global(std::string_view module, std::string_view name) const {
  const auto row = std::find_if(allowed_.begin(), allowed_.end(),
                                [&](const AllowedGlobal& g) { return g.module == module && g.name == name; });
  return row == allowed_.end() ? nullptr : &*row;
}

Status PickleMachine::push_global(const std::string& module, const std::string& name) {
  const AllowedGlobal* global = find_global(module, name);
  if (!global)
    return unsupported("global '{}.{}' is not allowed in a checkpoint; save a state_dict of plain tensors", module,
                       name);
  // The row's index lets a later call be judged without a second look-up by name.
  return push_new({Kind::kGlobal, global - allowed_.data(), 0, module + "." + name});
}

Status PickleMachine::op_global() {
  FOVEA_TRY(const std::string module, read_line());
  FOVEA_TRY(const std::string name, read_line());
  return push_global(module, name);
}

Status PickleMachine::op_stack_global() {
  FOVEA_TRY(const PickleRef name, top(Kind::kText));
  FOVEA_TRY([[maybe_unused]] const PickleRef popped_name, pop_value());
  FOVEA_TRY(const PickleRef module, top(Kind::kText));
  FOVEA_TRY([[maybe_unused]] const PickleRef popped_module, pop_value());
  if (document_[module].text.size() > kMaxGlobalName || document_[name].text.size() > kMaxGlobalName)
    return bad_input("a global's name of more than {} bytes", kMaxGlobalName);
  return push_global(document_[module].text, document_[name].text);
}

Status PickleMachine::op_reduce() {
  FOVEA_TRY(const PickleRef arguments, top(Kind::kTuple));
  FOVEA_TRY([[maybe_unused]] const PickleRef popped_arguments, pop_value());
  FOVEA_TRY(const PickleRef callee, top(Kind::kGlobal));
  FOVEA_TRY([[maybe_unused]] const PickleRef popped_callee, pop_value());
  const AllowedGlobal& global = allowed_[static_cast<std::size_t>(document_[callee].integer)];
  switch (global.use) {
    case AllowedGlobal::Use::kName:
      return unsupported("'{}' may be named in a checkpoint, but not called", document_[callee].text);
    case AllowedGlobal::Use::kFunction:
      return push_new({Kind::kCall, 0, 0, {}, {callee, arguments}});
    case AllowedGlobal::Use::kDictType:
      break;
  }
  if (!document_[arguments].items.empty())
    return unsupported("'{}' with arguments; expected an empty call filled by SETITEMS", document_[callee].text);
  return push_new({Kind::kDict});
}

Status PickleMachine::op_build() {
  FOVEA_TRY([[maybe_unused]] const PickleRef state, pop_value());
  // An OrderedDict's extra attributes (PyTorch's _metadata) hold no tensors.
  return top(Kind::kDict).ok()
             ? Status()
             : unsupported("attributes of a Python object are not allowed in a checkpoint; save a state_dict");
}

Status PickleMachine::op_bin_persistent_id() {
  FOVEA_TRY(const PickleRef id, pop_value());
  return push_new({Kind::kPersistent, 0, 0, {}, {id}});
}

}  // namespace fovea::torch_import
