#include <gtest/gtest.h>

#include <numeric>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;
using Bytes = std::vector<std::uint8_t>;

Tensor reversing_table() {
  Bytes table(256);
  std::iota(table.rbegin(), table.rend(), std::uint8_t{0});
  return Tensor::of<std::uint8_t>({256}, std::span<const std::uint8_t>(table));
}

TEST(Lookup, TakesTheTablesValues) {
  const Tensor x = Tensor::of<std::uint8_t>({2, 1, 2}, {0, 1, 128, 255});
  expect_tensor<std::uint8_t>(OpUnderTest{"FusedLookup", {x, reversing_table()}}.result(), {2, 1, 2},
                              {255, 254, 127, 0});
}

TEST(Lookup, TakesTheTableOfTheChannel) {
  Bytes tables(512);
  std::iota(tables.begin(), tables.begin() + 256, std::uint8_t{0});
  std::iota(tables.rbegin(), tables.rbegin() + 256, std::uint8_t{0});
  const Tensor x = Tensor::of<std::uint8_t>({2, 2, 1, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  const Tensor table = Tensor::of<std::uint8_t>({2, 256}, std::span<const std::uint8_t>(tables));
  expect_tensor<std::uint8_t>(OpUnderTest{"FusedLookup", {x, table}}.result(), {2, 2, 1, 2},
                              {0, 1, 253, 252, 4, 5, 249, 248});
  const Tensor three = Tensor::zeros(DType::kU8, {3, 256});
  EXPECT_THAT((OpUnderTest{"FusedLookup", {x, three}}.error()), HasSubstr("operand table: expected [2,256]"));
}

TEST(Lookup, KeepsOpenShapes) {
  EXPECT_EQ(inferred_text("FusedLookup", {TensorType{DType::kU8, Shape{symbol("N"), 8}}, reversing_table()}),
            "u8[N,8]");
}

TEST(Lookup, RejectsOtherTypesAndTables) {
  const Tensor x = Tensor::of<std::uint8_t>({1}, {0});
  EXPECT_THAT((OpUnderTest{"FusedLookup", {Tensor::of<std::int8_t>({1}, {0}), reversing_table()}}.error()),
              HasSubstr("operand X: expected type u8"));
  EXPECT_THAT((OpUnderTest{"FusedLookup", {x, Tensor::zeros(DType::kU8, {255})}}.error()),
              HasSubstr("operand table: expected [256]"));
  EXPECT_THAT((OpUnderTest{"FusedLookup", {x, Tensor::zeros(DType::kF32, {256})}}.error()), HasSubstr("operand table"));
}

}  // namespace
}  // namespace fovea::ops
