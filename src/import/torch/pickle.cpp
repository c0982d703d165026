#include "import/torch/pickle.h"

#include <algorithm>
#include <bit>

#include "import/torch/pickle_machine.h"

namespace fovea::torch_import {

const PickleMachine::Opcode* PickleMachine::find_opcode(std::uint8_t byte) {
  struct Row {
    std::uint8_t byte;
    Opcode opcode;
  };
#define OPCODE(byte, name, handler) Row{byte, {#name, &PickleMachine::op_##handler}},
#define REFUSED(byte, name) Row{byte, {#name, nullptr}},
  static constexpr Row kRows[] = {
#include "import/torch/pickle_opcodes.inc"
  };
#undef OPCODE
#undef REFUSED
  const auto row = std::find_if(std::begin(kRows), std::end(kRows), [&](const Row& r) { return r.byte == byte; });
  return row == std::end(kRows) ? nullptr : &row->opcode;
}

Result<PickleDocument> PickleMachine::run() {
  if (bytes_.size() > kMaxPickleBytes) bytes_ = bytes_.first(kMaxPickleBytes);
  while (!stopped_) {
    const std::size_t at = position_;
    if (at >= bytes_.size()) return bad_input("the pickle ends at byte {} without STOP", at);
    const auto byte = static_cast<std::uint8_t>(bytes_[position_++]);
    const Opcode* opcode = find_opcode(byte);
    if (!opcode) return bad_input("byte {}: {:#04x} is not a pickle opcode", at, byte);
    if (!opcode->run)
      return unsupported("byte {}: opcode {} is not allowed in a checkpoint (nothing in a file is executed)", at,
                         opcode->name);
    auto status = (this->*opcode->run)();
    if (!status.ok()) return std::move(status).error().within(fmt::format("byte {}: opcode {}", at, opcode->name));
  }
  document_.bytes_read = position_;
  return std::move(document_);
}

// Raw input

Result<std::uint64_t> PickleMachine::read_unsigned(std::size_t width) {
  if (bytes_.size() - position_ < width)
    return bad_input("expected {} more bytes, found {}", width, bytes_.size() - position_);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < width; ++i) value |= std::to_integer<std::uint64_t>(bytes_[position_ + i]) << (8 * i);
  position_ += width;
  return value;
}

Result<std::string> PickleMachine::read_text(std::size_t count) {
  if (count > kMaxTextBytes)
    return make_error(ErrorCode::kResource, "a string of {} bytes; the limit is {}", count, kMaxTextBytes);
  if (bytes_.size() - position_ < count)
    return bad_input("a string of {} bytes, but only {} are left", count, bytes_.size() - position_);
  std::string text(reinterpret_cast<const char*>(bytes_.data() + position_), count);
  position_ += count;
  return text;
}

Result<std::string> PickleMachine::read_line() {
  const std::size_t limit = std::min(bytes_.size() - position_, kMaxGlobalName + 1);
  const auto rest = bytes_.subspan(position_, limit);
  const auto end = std::find(rest.begin(), rest.end(), std::byte{'\n'});
  if (end == rest.end()) return bad_input("a name that does not end within {} bytes", limit);
  const auto length = static_cast<std::size_t>(end - rest.begin());
  std::string line(reinterpret_cast<const char*>(rest.data()), length);
  position_ += length + 1;
  return line;
}

// Stack

Status PickleMachine::push(PickleRef ref) {
  if (stack_.size() >= kMaxStack)
    return make_error(ErrorCode::kResource, "more than {} values on the stack", kMaxStack);
  stack_.push_back(ref);
  return {};
}

Status PickleMachine::push_new(PickleValue value) {
  if (document_.values.size() >= kMaxValues) return make_error(ErrorCode::kResource, "more than {} values", kMaxValues);
  document_.values.push_back(std::move(value));
  return push(static_cast<PickleRef>(document_.values.size() - 1));
}

Result<PickleRef> PickleMachine::pop_value() {
  if (stack_.size() <= floor()) return bad_input("the stack is empty");
  const PickleRef ref = stack_.back();
  stack_.pop_back();
  return ref;
}

Result<PickleRef> PickleMachine::top(Kind kind) {
  if (stack_.size() <= floor()) return bad_input("the stack is empty");
  const Kind found = document_[stack_.back()].kind;
  if (found != kind) return bad_input("expected a {} on the stack, found a {}", kind_name(kind), kind_name(found));
  return stack_.back();
}

Result<std::vector<PickleRef>> PickleMachine::pop_to_mark() {
  if (marks_.empty()) return bad_input("there is no MARK on the stack");
  const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
  std::vector<PickleRef> items(first, stack_.end());
  stack_.erase(first, stack_.end());
  marks_.pop_back();
  return items;
}

// Framing and stack opcodes

Status PickleMachine::op_proto() {
  FOVEA_TRY(const std::uint64_t protocol, read_unsigned(1));
  if (protocol < 2 || protocol > 5) return unsupported("pickle protocol {}; expected 2 to 5", protocol);
  return {};
}

Status PickleMachine::op_frame() {
  FOVEA_TRY(const std::uint64_t length, read_unsigned(8));
  const std::size_t left = bytes_.size() - position_;
  if (length > left) return bad_input("a frame of {} bytes, but only {} are left", length, left);
  return {};
}

Status PickleMachine::op_stop() {
  if (!marks_.empty()) return bad_input("{} MARKs are left open", marks_.size());
  if (stack_.size() != 1) return bad_input("expected one value on the stack, found {}", stack_.size());
  document_.root = stack_.back();
  stopped_ = true;
  return {};
}

Status PickleMachine::op_mark() {
  if (marks_.size() >= kMaxStack) return make_error(ErrorCode::kResource, "more than {} open MARKs", kMaxStack);
  marks_.push_back(stack_.size());
  return {};
}

Status PickleMachine::op_pop() {
  if (!marks_.empty() && stack_.size() == marks_.back()) {
    marks_.pop_back();
    return {};
  }
  FOVEA_TRY([[maybe_unused]] const PickleRef dropped, pop_value());
  return {};
}

Status PickleMachine::op_pop_mark() {
  FOVEA_TRY([[maybe_unused]] const auto dropped, pop_to_mark());
  return {};
}

Status PickleMachine::op_dup() {
  FOVEA_TRY(const PickleRef ref, pop_value());
  FOVEA_RETURN_IF_ERROR(push(ref));
  return push(ref);
}

// Scalars, text and bytes

Status PickleMachine::push_int(std::size_t width, bool is_signed) {
  FOVEA_TRY(const std::uint64_t raw, read_unsigned(width));
  const unsigned unused_bits = static_cast<unsigned>(64 - 8 * width);
  const std::int64_t value =
      is_signed ? static_cast<std::int64_t>(raw << unused_bits) >> unused_bits : static_cast<std::int64_t>(raw);
  return push_new({Kind::kInt, value});
}

Status PickleMachine::op_long1() {
  FOVEA_TRY(const std::uint64_t width, read_unsigned(1));
  if (width == 0) return push_new({Kind::kInt, 0});
  if (width <= 8) return push_int(static_cast<std::size_t>(width), true);
  FOVEA_TRY(std::string digits, read_text(static_cast<std::size_t>(width)));
  return push_new({Kind::kBigInt, 0, 0, std::move(digits)});
}

Status PickleMachine::op_bin_float() {
  FOVEA_TRY(const std::uint64_t swapped, read_unsigned(8));  // big-endian in the file
  return push_new({Kind::kFloat, 0, std::bit_cast<double>(__builtin_bswap64(swapped))});
}

Status PickleMachine::push_text(std::size_t length_width, Kind kind) {
  FOVEA_TRY(const std::uint64_t length, read_unsigned(length_width));
  FOVEA_TRY(std::string text, read_text(static_cast<std::size_t>(length)));
  return push_new({kind, 0, 0, std::move(text)});
}

const char* kind_name(PickleValue::Kind kind) {
  using Kind = PickleValue::Kind;
  switch (kind) {
    case Kind::kNone:
      return "None";
    case Kind::kBool:
      return "bool";
    case Kind::kInt:
      return "int";
    case Kind::kBigInt:
      return "long int";
    case Kind::kFloat:
      return "float";
    case Kind::kText:
      return "string";
    case Kind::kBytes:
      return "bytes";
    case Kind::kTuple:
      return "tuple";
    case Kind::kList:
      return "list";
    case Kind::kDict:
      return "dict";
    case Kind::kGlobal:
      return "global";
    case Kind::kCall:
      return "call";
    case Kind::kPersistent:
      return "persistent id";
  }
  return "value";
}

Result<PickleDocument> read_pickle(std::span<const std::byte> bytes, std::span<const AllowedGlobal> allowed) {
  return PickleMachine(bytes, allowed).run();
}

}  // namespace fovea::torch_import
