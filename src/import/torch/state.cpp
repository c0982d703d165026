#include "import/torch/state.h"

#include <algorithm>
#include <array>

namespace fovea::torch_import {
namespace {

using Kind = PickleValue::Kind;
using Use = AllowedGlobal::Use;

constexpr int kMaxDepth = 16;
constexpr std::size_t kMaxTensors = 100'000;
constexpr std::size_t kMaxNameBytes = 1024;
constexpr std::int64_t kMaxLeaves = 1'000'000;

constexpr auto kGlobals = std::to_array<AllowedGlobal>({
    {"collections", "OrderedDict", Use::kDictType},
    {"torch._utils", "_rebuild_tensor", Use::kFunction},
    {"torch._utils", "_rebuild_tensor_v2", Use::kFunction},
    {"torch._utils", "_rebuild_tensor_v3", Use::kFunction},
    {"torch._utils", "_rebuild_parameter", Use::kFunction},
    {"torch._utils", "_rebuild_parameter_with_state", Use::kFunction},
    {"torch.serialization", "_get_layout", Use::kFunction},
    {"torch", "Size", Use::kFunction},
    {"torch", "device", Use::kFunction},
    {"_codecs", "encode", Use::kFunction},
    {"torch", "FloatStorage", Use::kName},
    {"torch", "DoubleStorage", Use::kName},
    {"torch", "HalfStorage", Use::kName},
    {"torch", "BFloat16Storage", Use::kName},
    {"torch", "CharStorage", Use::kName},
    {"torch", "ByteStorage", Use::kName},
    {"torch", "ShortStorage", Use::kName},
    {"torch", "IntStorage", Use::kName},
    {"torch", "LongStorage", Use::kName},
    {"torch", "BoolStorage", Use::kName},
    {"torch", "UntypedStorage", Use::kName},
    {"torch.storage", "UntypedStorage", Use::kName},
    {"torch", "float32", Use::kName},
    {"torch", "float64", Use::kName},
    {"torch", "float16", Use::kName},
    {"torch", "bfloat16", Use::kName},
    {"torch", "int8", Use::kName},
    {"torch", "uint8", Use::kName},
    {"torch", "int16", Use::kName},
    {"torch", "uint16", Use::kName},
    {"torch", "int32", Use::kName},
    {"torch", "uint32", Use::kName},
    {"torch", "int64", Use::kName},
    {"torch", "uint64", Use::kName},
    {"torch", "bool", Use::kName},
});

struct TypeName {
  std::string_view global;
  DType dtype;
};
constexpr auto kStorageTypes = std::to_array<TypeName>({{"torch.FloatStorage", DType::kF32},
                                                        {"torch.DoubleStorage", DType::kF64},
                                                        {"torch.HalfStorage", DType::kF16},
                                                        {"torch.BFloat16Storage", DType::kBf16},
                                                        {"torch.CharStorage", DType::kS8},
                                                        {"torch.ByteStorage", DType::kU8},
                                                        {"torch.ShortStorage", DType::kS16},
                                                        {"torch.IntStorage", DType::kS32},
                                                        {"torch.LongStorage", DType::kS64},
                                                        {"torch.BoolStorage", DType::kBool}});
constexpr auto kDtypes = std::to_array<TypeName>({{"torch.float32", DType::kF32},
                                                  {"torch.float64", DType::kF64},
                                                  {"torch.float16", DType::kF16},
                                                  {"torch.bfloat16", DType::kBf16},
                                                  {"torch.int8", DType::kS8},
                                                  {"torch.uint8", DType::kU8},
                                                  {"torch.int16", DType::kS16},
                                                  {"torch.uint16", DType::kU16},
                                                  {"torch.int32", DType::kS32},
                                                  {"torch.uint32", DType::kU32},
                                                  {"torch.int64", DType::kS64},
                                                  {"torch.uint64", DType::kU64},
                                                  {"torch.bool", DType::kBool}});

Result<DType> type_named(std::span<const TypeName> table, std::string_view name, std::string_view what) {
  const auto row = std::find_if(table.begin(), table.end(), [&](const TypeName& t) { return t.global == name; });
  if (row == table.end()) return bad_input("'{}' is not a {}", name, what);
  return row->dtype;
}

class Interpreter {
 public:
  explicit Interpreter(const PickleDocument& document) : document_(document) {}
  Result<StateSpec> run() {
    FOVEA_RETURN_IF_ERROR(walk(document_.root, "", 0));
    return std::move(state_);
  }

 private:
  const PickleValue& at(PickleRef ref) const { return document_[ref]; }
  Status walk(PickleRef ref, const std::string& name, int depth);
  Status walk_dict(const PickleValue& dict, const std::string& name, int depth);
  bool is_tensor_call(const PickleValue& value) const;
  Status add_tensor(PickleRef ref, const std::string& name);
  Result<TensorSpec> tensor(PickleRef ref);
  Result<std::string> storage(PickleRef ref);
  Result<const PickleValue*> argument(const PickleValue& tuple, std::size_t index, Kind kind,
                                      std::string_view what) const;
  Result<Dims> extents(const PickleValue& tuple, std::size_t index, std::string_view what) const;

  const PickleDocument& document_;
  StateSpec state_;
};

bool Interpreter::is_tensor_call(const PickleValue& value) const {
  return value.kind == Kind::kCall && at(value.items[0]).text.starts_with("torch._utils._rebuild_");
}

// Shared containers are visited once for every path to them, so the limits on leaves and depth bound the work on a
// document that doubles at every level or contains itself.
Status Interpreter::walk(PickleRef ref, const std::string& name, int depth) {
  const PickleValue& value = at(ref);
  if (++state_.skipped > kMaxLeaves) return make_error(ErrorCode::kResource, "more than {} values", kMaxLeaves);
  if (depth > kMaxDepth) return make_error(ErrorCode::kResource, "'{}' is nested deeper than {}", name, kMaxDepth);
  if (name.size() > kMaxNameBytes)
    return make_error(ErrorCode::kResource, "a name of {} bytes; the limit is {}", name.size(), kMaxNameBytes);
  if (value.kind == Kind::kDict) return walk_dict(value, name, depth);
  if (value.kind == Kind::kList || value.kind == Kind::kTuple) {
    for (std::size_t i = 0; i < value.items.size(); ++i)
      FOVEA_RETURN_IF_ERROR(walk(value.items[i], fmt::format("{}{}{}", name, name.empty() ? "" : ".", i), depth + 1));
    return {};
  }
  if (is_tensor_call(value)) return add_tensor(ref, name);
  return {};
}

Status Interpreter::walk_dict(const PickleValue& dict, const std::string& name, int depth) {
  for (std::size_t i = 0; i + 1 < dict.items.size(); i += 2) {
    const PickleValue& key = at(dict.items[i]);
    std::string child = name.empty() ? "" : name + ".";
    if (key.kind == Kind::kText)
      child += key.text;
    else if (key.kind == Kind::kInt)
      child += std::to_string(key.integer);
    else
      return bad_input("a key of '{}' is a {}; expected a string", name, kind_name(key.kind));
    FOVEA_RETURN_IF_ERROR(walk(dict.items[i + 1], child, depth + 1));
  }
  return {};
}

Status Interpreter::add_tensor(PickleRef ref, const std::string& name) {
  if (state_.tensors.size() >= kMaxTensors)
    return make_error(ErrorCode::kResource, "more than {} tensors", kMaxTensors);
  auto spec = tensor(ref);
  if (!spec.ok()) return std::move(spec).error().within(fmt::format("tensor '{}'", name));
  spec->name = name;
  state_.tensors.push_back(std::move(spec).value());
  --state_.skipped;
  return {};
}

Result<const PickleValue*> Interpreter::argument(const PickleValue& tuple, std::size_t index, Kind kind,
                                                 std::string_view what) const {
  if (index >= tuple.items.size())
    return bad_input("{}: expected at least {} arguments, found {}", what, index + 1, tuple.items.size());
  const PickleValue& value = at(tuple.items[index]);
  if (value.kind != kind)
    return bad_input("{}: expected a {}, found a {}", what, kind_name(kind), kind_name(value.kind));
  return &value;
}

Result<Dims> Interpreter::extents(const PickleValue& tuple, std::size_t index, std::string_view what) const {
  if (index < tuple.items.size() && at(tuple.items[index]).kind == Kind::kCall) {  // torch.Size((…))
    const PickleValue& call = at(tuple.items[index]);
    if (at(call.items[0]).text != "torch.Size") return bad_input("{}: expected a tuple", what);
    const PickleValue& arguments = at(call.items[1]);
    if (arguments.items.empty() || at(arguments.items[0]).kind == Kind::kCall)
      return bad_input("{}: expected torch.Size of a tuple", what);
    return extents(arguments, 0, what);
  }
  FOVEA_TRY(const PickleValue* list, argument(tuple, index, Kind::kTuple, what));
  if (list->items.size() > kMaxRank)
    return unsupported("{}: {} axes; the limit is {}", what, list->items.size(), kMaxRank);
  Dims dims;
  for (const PickleRef ref : list->items) {
    const PickleValue& extent = at(ref);
    if (extent.kind != Kind::kInt || extent.integer < 0)
      return bad_input("{}: expected whole numbers, not negative, found a {} ({})", what, kind_name(extent.kind),
                       extent.integer);
    dims.push_back(extent.integer);
  }
  return dims;
}

// Persistent id of a storage: ("storage", type, key, location, element count[, view]).
Result<std::string> Interpreter::storage(PickleRef ref) {
  const PickleValue& value = at(ref);
  if (value.kind != Kind::kPersistent)
    return bad_input("storage: expected a persistent id, found a {}", kind_name(value.kind));
  const PickleValue& id = at(value.items[0]);
  if (id.kind != Kind::kTuple) return bad_input("persistent id: expected a tuple, found a {}", kind_name(id.kind));
  FOVEA_TRY(const PickleValue* tag, argument(id, 0, Kind::kText, "persistent id"));
  if (tag->text != "storage") return unsupported("persistent id '{}'; expected 'storage'", tag->text);
  FOVEA_TRY(const PickleValue* type, argument(id, 1, Kind::kGlobal, "storage type"));
  FOVEA_TRY(const PickleValue* key, argument(id, 2, Kind::kText, "storage key"));
  FOVEA_TRY(const PickleValue* count, argument(id, 4, Kind::kInt, "storage size"));
  if (id.items.size() > 5 && at(id.items[5]).kind != Kind::kNone)
    return unsupported("a storage that is a view of another (PyTorch before 0.4)");
  if (count->integer < 0) return bad_input("storage '{}' of {} elements", key->text, count->integer);
  StorageSpec spec{DType::kU8, count->integer, type->text.ends_with("UntypedStorage")};
  if (!spec.untyped) {
    FOVEA_TRY(spec.dtype, type_named(kStorageTypes, type->text, "storage type"));
  }
  const auto [known, added] = state_.storages.emplace(key->text, spec);
  if (!added && (known->second.dtype != spec.dtype || known->second.count != spec.count))
    return bad_input("storage '{}' is described as {} {} and as {} {}", key->text, known->second.count,
                     dtype_name(known->second.dtype), spec.count, dtype_name(spec.dtype));
  return key->text;
}

// _rebuild_tensor(storage, offset, size, stride), _v2(…, requires_grad, hooks[, metadata]),
// _v3(…, requires_grad, hooks, dtype[, metadata]); _rebuild_parameter[_with_state](tensor, …).
Result<TensorSpec> Interpreter::tensor(PickleRef ref) {
  const PickleValue* call = &at(ref);
  for (int wrappers = 0; at(call->items[0]).text.find("_rebuild_parameter") != std::string::npos; ++wrappers) {
    FOVEA_TRY(call, argument(at(call->items[1]), 0, Kind::kCall, "_rebuild_parameter"));
    if (wrappers > kMaxDepth) return bad_input("parameters wrapped deeper than {}", kMaxDepth);
  }
  if (!is_tensor_call(*call)) return bad_input("expected a tensor, found a call of {}", at(call->items[0]).text);
  const PickleValue& arguments = at(call->items[1]);
  if (arguments.items.empty()) return bad_input("a rebuild call without arguments");
  TensorSpec spec;
  FOVEA_TRY(spec.storage, storage(arguments.items[0]));
  FOVEA_TRY(const PickleValue* offset, argument(arguments, 1, Kind::kInt, "storage offset"));
  FOVEA_TRY(spec.dims, extents(arguments, 2, "size"));
  FOVEA_TRY(spec.strides, extents(arguments, 3, "stride"));
  spec.offset = offset->integer;
  if (spec.offset < 0) return bad_input("storage offset {} is negative", spec.offset);
  if (spec.strides.size() != spec.dims.size())
    return bad_input("{} extents, but {} strides", spec.dims.size(), spec.strides.size());
  const StorageSpec& behind = state_.storages.at(spec.storage);
  spec.dtype = behind.dtype;
  if (at(call->items[0]).text.ends_with("_v3")) {
    FOVEA_TRY(const PickleValue* dtype, argument(arguments, 6, Kind::kGlobal, "dtype"));
    FOVEA_TRY(spec.dtype, type_named(kDtypes, dtype->text, "dtype"));
    if (!behind.untyped && size_of(spec.dtype) != size_of(behind.dtype))
      return bad_input("{} elements in a storage of {}", dtype_name(spec.dtype), dtype_name(behind.dtype));
  } else if (behind.untyped) {
    return bad_input("an untyped storage under a tensor without a dtype");
  }
  return spec;
}

}  // namespace

std::span<const AllowedGlobal> state_globals() { return kGlobals; }

Result<StateSpec> interpret_state(const PickleDocument& document) { return Interpreter(document).run(); }

}  // namespace fovea::torch_import
