#include "tensor/tensor.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

TEST(Shape, FixedSymbolicUnknown) {
  const Shape s{Dim::symbolic("N"), 3, Dim()};
  EXPECT_EQ(s.text(), "[N,3,?]");
  EXPECT_FALSE(s.is_fixed());
  EXPECT_TRUE(s.may_equal(Shape(Dims{5, 3, 9})));
  EXPECT_FALSE(s.may_equal(Shape(Dims{5, 4, 9})));
  EXPECT_FALSE(s.may_equal(Shape(Dims{5, 3})));
  EXPECT_TRUE(Shape().may_equal(s));
  EXPECT_EQ(Shape().text(), "[*]");
  EXPECT_EQ(Shape(Dims{}).rank(), 0);
  EXPECT_TRUE(Shape(Dims{}).is_fixed());
}

TEST(Shape, ElementCountsAreChecked) {
  EXPECT_EQ(*checked_element_count({2, 3}), 6);
  EXPECT_EQ(*checked_element_count({}), 1);
  EXPECT_EQ(*checked_element_count({0, std::int64_t{1} << 40, 5}), 0);
  EXPECT_FALSE(checked_element_count({2, -1}).ok());
  EXPECT_FALSE(checked_element_count({std::int64_t{1} << 31, std::int64_t{1} << 31}).ok());
  EXPECT_FALSE(checked_element_count({INT64_MAX, INT64_MAX}).ok());
}

TEST(DType, NamesRoundTrip) {
  for (int i = 0; i <= static_cast<int>(DType::kBool); ++i) {
    const auto d = static_cast<DType>(i);
    EXPECT_EQ(parse_dtype(dtype_name(d)), d);
    EXPECT_EQ(dispatch(d, [](auto tag) { return sizeof(tag); }), size_of(d));
  }
  EXPECT_FALSE(parse_dtype("f8"));
}

TEST(Tensor, ReorderThereAndBack) {
  for (std::int64_t c : {1, 3, 16, 17, 33}) {
    for (std::int64_t hw : {1, 5, 16}) {
      Tensor t(DType::kF32, {2, c, hw, hw});
      for (std::int64_t i = 0; i < t.count(); ++i) t.as<float>()[static_cast<std::size_t>(i)] = static_cast<float>(i);
      const Tensor last = t.in_layout(Layout::kChannelsLast);
      // Element (1, c-1, hw-1, 0) in channels-last order.
      const std::int64_t at = ((hw + hw - 1) * hw) * c + c - 1;
      EXPECT_EQ(last.as<float>()[static_cast<std::size_t>(at)],
                t.as<float>()[static_cast<std::size_t>(((c + c - 1) * hw + hw - 1) * hw)]);
      const Tensor back = last.in_layout(Layout::kRowMajor);
      EXPECT_EQ(0, std::memcmp(back.raw(), t.raw(), t.bytes()));
    }
  }
}

TEST(Tensor, CastsRoundTruncateAndSurviveNonsense) {
  const Tensor t = Tensor::of<float>({5}, {1.9f, -1.9f, 0.0f, 3e38f, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_EQ(t.cast(DType::kS64).to_int64s(), (std::vector<std::int64_t>{1, -1, 0, 0, 0}));
  EXPECT_EQ(t.cast(DType::kBool).as<bool>()[2], false);
  EXPECT_EQ(t.cast(DType::kBf16).cast(DType::kF32).as<float>()[0], 1.8984375f);
  EXPECT_EQ(Tensor::of<std::int64_t>({1}, {300}).cast(DType::kU8).to_int64s()[0], 44);
}

TEST(Tensor, BorrowedElementsAreReadOnlyAndKeepTheirOwner) {
  auto owner = std::make_shared<std::vector<float>>(4, 2.5f);
  const float* data = owner->data();
  Tensor t = Tensor::borrow(DType::kF32, {4}, data, owner);
  owner.reset();
  EXPECT_EQ(std::as_const(t).as<float>()[3], 2.5f);
  EXPECT_EQ(static_cast<const Tensor&>(t).raw(), data);
  EXPECT_THROW((void)static_cast<Tensor&>(t).raw(), CheckFailure);
  const Tensor copy = t;
  EXPECT_NE(copy.raw(), data);
  EXPECT_EQ(copy.as<float>()[0], 2.5f);
}

}  // namespace
}  // namespace fovea
