#include "ops/conv_attributes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fovea {
namespace {

using Ints = std::vector<std::int64_t>;
using testing::HasSubstr;

Node conv(Attributes attributes) { return {"c", "Conv", {}, {}, std::move(attributes), true}; }

TEST(ConvAttributes, ExplicitGeometry) {
  const Node node =
      conv({{"strides", Ints{2, 1}}, {"pads", Ints{1, 2, 3, 4}}, {"dilations", Ints{1, 2}}, {"group", 4}});
  const auto read = read_conv_attributes(node, {Dim::symbolic("N"), 8, Dim(), Dim()}, {16, 2, 3, 5});
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(read->kernel_h, 3);
  EXPECT_EQ(read->kernel_w, 5);
  EXPECT_EQ(read->stride_h, 2);
  EXPECT_EQ(read->stride_w, 1);
  EXPECT_EQ(read->dilation_w, 2);
  EXPECT_EQ(read->pad_top, 1);
  EXPECT_EQ(read->pad_left, 2);
  EXPECT_EQ(read->pad_bottom, 3);
  EXPECT_EQ(read->pad_right, 4);
  EXPECT_EQ(read->group, 4);
  EXPECT_EQ(conv_output_extent(10, 3, 2, 1, 1, 3), 6);
}

TEST(ConvAttributes, WritingMakesPaddingExplicit) {
  Node node = conv({{"strides", Ints{2, 2}}, {"auto_pad", std::string("SAME_UPPER")}});
  const Shape input{1, 3, 224, 224}, weight{8, 3, 3, 3};
  const auto read = read_conv_attributes(node, input, weight);
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->pad_top, 0);
  EXPECT_EQ(read->pad_bottom, 1);
  write_conv_attributes(*read, node.attributes);
  EXPECT_EQ(node.attributes.count("auto_pad"), 0u);
  const auto again = read_conv_attributes(node, {1, 3, Dim(), Dim()}, weight);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->pad_bottom, 1);
  EXPECT_EQ(again->pad_top, 0);
  EXPECT_EQ(again->stride_w, 2);
}

TEST(ConvAttributes, OneDimensionAndPools) {
  const auto one = read_conv_attributes(conv({{"strides", Ints{3}}, {"pads", Ints{1, 2}}}), {1, 3, 20}, {4, 3, 5});
  ASSERT_TRUE(one.ok());
  EXPECT_EQ(one->kernel_h, 1);
  EXPECT_EQ(one->kernel_w, 5);
  EXPECT_EQ(one->stride_w, 3);
  EXPECT_EQ(one->pad_left, 1);
  EXPECT_EQ(one->pad_right, 2);
  const auto pool = read_conv_attributes(conv({{"kernel_shape", Ints{2, 3}}}), {1, 3, 20, 20}, Shape());
  ASSERT_TRUE(pool.ok());
  EXPECT_EQ(pool->kernel_w, 3);
}

TEST(ConvAttributes, Errors) {
  const auto error = [](Attributes attributes, const Shape& input, const Shape& weight) {
    const auto read = read_conv_attributes(conv(std::move(attributes)), input, weight);
    return read.ok() ? std::string() : read.error().text();
  };
  EXPECT_THAT(error({}, {1, 3, 4, 4, 4}, {1, 3, 1, 1, 1}), HasSubstr("one- or two-dimensional"));
  EXPECT_THAT(error({}, {1, 3, 4, 4}, {1, 3, 1}), HasSubstr("operand W: expected rank 4"));
  EXPECT_THAT(error({}, {1, 3, 4, 4}, {1, 3, Dim(), 1}), HasSubstr("kernel extents are open"));
  EXPECT_THAT(error({{"auto_pad", std::string("SAME_LOWER")}}, {1, 3, Dim(), 4}, {1, 3, 1, 1}),
              HasSubstr("attribute auto_pad: needs the spatial extents"));
  EXPECT_THAT(error({{"group", 0}}, {1, 3, 4, 4}, {1, 3, 1, 1}), HasSubstr("attribute group: expected a value in [1,"));
}

}  // namespace
}  // namespace fovea
