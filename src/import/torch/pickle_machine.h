// The stack machine behind read_pickle: one handler an opcode, building data in a PickleDocument.
#pragma once

#include "import/torch/pickle.h"

namespace fovea::torch_import {

inline constexpr std::size_t kMaxPickleBytes = std::size_t{64} << 20;
inline constexpr std::size_t kMaxValues = 1'000'000;
inline constexpr std::size_t kMaxMemo = 1'000'000;
inline constexpr std::size_t kMaxStack = 10'000;
inline constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20;
inline constexpr std::size_t kMaxGlobalName = 256;
inline constexpr PickleRef kUnsetMemo = ~PickleRef{0};

// Runs once.
class PickleMachine {
 public:
  PickleMachine(std::span<const std::byte> bytes, std::span<const AllowedGlobal> allowed)
      : bytes_(bytes), allowed_(allowed) {}

  Result<PickleDocument> run();

 private:
  using Kind = PickleValue::Kind;
  struct Opcode {
    std::string_view name;
    Status (PickleMachine::*run)() = nullptr;  // null: refused
  };
  static const Opcode* find_opcode(std::uint8_t byte);

  // Raw input.
  Result<std::uint64_t> read_unsigned(std::size_t width);  // little-endian
  Result<std::string> read_text(std::size_t bytes);
  Result<std::string> read_line();

  // Stack.
  Status push(PickleRef ref);
  Status push_new(PickleValue value);
  Result<PickleRef> pop_value();
  Result<PickleRef> top(Kind kind);  // the top value, of this kind, left on the stack
  Result<std::vector<PickleRef>> pop_to_mark();
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }  // values below belong to an outer mark

  Status push_int(std::size_t width, bool is_signed);
  Status push_text(std::size_t length_width, Kind kind);
  Status push_tuple(std::size_t size);
  Status put(std::uint64_t slot);
  Status get(std::uint64_t slot);
  Status push_global(const std::string& module, const std::string& name);
  const AllowedGlobal* find_global(std::string_view module, std::string_view name) const;

  Status op_proto();
  Status op_frame();
  Status op_stop();
  Status op_mark();
  Status op_pop();
  Status op_pop_mark();
  Status op_dup();
  Status op_none() { return push_new({Kind::kNone}); }
  Status op_new_true() { return push_new({Kind::kBool, 1}); }
  Status op_new_false() { return push_new({Kind::kBool, 0}); }
  Status op_bin_int1() { return push_int(1, false); }
  Status op_bin_int2() { return push_int(2, false); }
  Status op_bin_int() { return push_int(4, true); }
  Status op_long1();
  Status op_bin_float();
  Status op_short_text() { return push_text(1, Kind::kText); }
  Status op_text() { return push_text(4, Kind::kText); }
  Status op_short_bytes() { return push_text(1, Kind::kBytes); }
  Status op_bytes() { return push_text(4, Kind::kBytes); }
  Status op_empty_tuple() { return push_new({Kind::kTuple}); }
  Status op_tuple1() { return push_tuple(1); }
  Status op_tuple2() { return push_tuple(2); }
  Status op_tuple3() { return push_tuple(3); }
  Status op_tuple();
  Status op_empty_list() { return push_new({Kind::kList}); }
  Status op_append();
  Status op_appends();
  Status op_list();
  Status op_empty_dict() { return push_new({Kind::kDict}); }
  Status op_set_item();
  Status op_set_items();
  Status op_dict();
  Status op_bin_put();
  Status op_long_bin_put();
  Status op_memoize() { return put(memo_.size()); }
  Status op_bin_get();
  Status op_long_bin_get();
  Status op_global();
  Status op_stack_global();
  Status op_reduce();
  Status op_build();
  Status op_bin_persistent_id();

  std::span<const std::byte> bytes_;
  std::span<const AllowedGlobal> allowed_;
  std::size_t position_ = 0;
  bool stopped_ = false;
  PickleDocument document_;
  std::vector<PickleRef> stack_;
  std::vector<std::size_t> marks_;  // stack heights
  std::vector<PickleRef> memo_;
};

}  // namespace fovea::torch_import
