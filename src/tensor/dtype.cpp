#include "tensor/dtype.h"

#include <array>

namespace fovea {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  std::size_t bytes;
};
constexpr std::array<Row, 13> kRows = {{{DType::kF32, "f32", 4},
                                        {DType::kF64, "f64", 8},
                                        {DType::kF16, "f16", 2},
                                        {DType::kBf16, "bf16", 2},
                                        {DType::kS8, "s8", 1},
                                        {DType::kU8, "u8", 1},
                                        {DType::kS16, "s16", 2},
                                        {DType::kU16, "u16", 2},
                                        {DType::kS32, "s32", 4},
                                        {DType::kU32, "u32", 4},
                                        {DType::kS64, "s64", 8},
                                        {DType::kU64, "u64", 8},
                                        {DType::kBool, "bool", 1}}};

}  // namespace

std::size_t size_of(DType dtype) { return kRows[static_cast<std::size_t>(dtype)].bytes; }
std::string_view dtype_name(DType dtype) { return kRows[static_cast<std::size_t>(dtype)].name; }
std::optional<DType> parse_dtype(std::string_view name) {
  for (const Row& row : kRows)
    if (row.name == name) return row.dtype;
  return std::nullopt;
}

}  // namespace fovea
