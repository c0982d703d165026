#include "ops/window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "ops/operands.h"

namespace fovea::ops {
namespace {

using Ints = std::vector<std::int64_t>;
using testing::HasSubstr;

Node node_with(Attributes attributes) { return {"w", "MaxPool", {}, {}, std::move(attributes), true}; }

TEST(Window, DefaultsAreUnitWindows) {
  const auto window = read_window_attributes(node_with({{"kernel_shape", Ints{3, 2}}}), 2, {});
  ASSERT_TRUE(window.ok());
  EXPECT_EQ(window->kernel, (Ints{3, 2}));
  EXPECT_EQ(window->strides, (Ints{1, 1}));
  EXPECT_EQ(window->dilations, (Ints{1, 1}));
  EXPECT_EQ(window->pads_begin, (Ints{0, 0}));
  EXPECT_EQ(window->auto_pad, AutoPad::kNone);
}

TEST(Window, SamePaddingPutsTheOddElementWhereItSays) {
  for (const char* mode : {"SAME_UPPER", "SAME_LOWER"}) {
    const auto window = read_window_attributes(
        node_with({{"kernel_shape", Ints{3}}, {"strides", Ints{2}}, {"auto_pad", std::string(mode)}}), 1, {});
    ASSERT_TRUE(window.ok());
    const WindowAxis even = resolve_window_axis(*window, 0, 6);  // 3 windows reach 7: one element of padding
    EXPECT_EQ(even.pad_begin, mode == std::string("SAME_LOWER") ? 1 : 0);
    EXPECT_EQ(even.pad_begin + even.pad_end, 1);
    EXPECT_EQ(window_output_extent(6, even), 3);
    const WindowAxis odd = resolve_window_axis(*window, 0, 7);
    EXPECT_EQ(odd.pad_begin, 1);
    EXPECT_EQ(odd.pad_end, 1);
  }
}

TEST(Window, SamePaddingIsNeverNegative) {
  const auto window = read_window_attributes(
      node_with({{"kernel_shape", Ints{1}}, {"strides", Ints{3}}, {"auto_pad", std::string("SAME_UPPER")}}), 1, {});
  const WindowAxis axis = resolve_window_axis(*window, 0, 9);
  EXPECT_EQ(axis.pad_begin, 0);
  EXPECT_EQ(axis.pad_end, 0);
  EXPECT_EQ(window_output_extent(9, axis), 3);
}

TEST(Window, CeilModeStartsNoWindowBehindTheImage) {
  EXPECT_EQ(window_output_extent(4, {3, 2, 1, 0, 0}, false), 1);
  EXPECT_EQ(window_output_extent(4, {3, 2, 1, 0, 0}, true), 2);
  EXPECT_EQ(window_output_extent(2, {3, 2, 1, 0, 0}, true), 1);  // smaller than the window
  EXPECT_EQ(window_output_extent(2, {1, 2, 1, 0, 1}, true), 1);  // the second would start in the padding behind
  EXPECT_EQ(window_output_extent(3, {2, 2, 1, 1, 1}, false), 2);
}

TEST(Window, TapsAndOutputsAgree) {
  for (const WindowAxis axis : {WindowAxis{3, 2, 1, 1, 1}, {4, 1, 3, 5, 2}, {2, 3, 2, 0, 0}, {5, 4, 2, 7, 0}}) {
    const std::int64_t input = 11, output = window_output_extent(input, axis);
    ASSERT_GT(output, 0);
    for (std::int64_t o = 0; o < output; ++o)
      for (std::int64_t tap = 0; tap < axis.kernel; ++tap) {
        const std::int64_t at = o * axis.stride - axis.pad_begin + tap * axis.dilation;
        const bool inside = at >= 0 && at < input;
        const IndexRange taps = valid_taps(axis, input, o), outputs = outputs_with_tap(axis, input, output, tap);
        EXPECT_EQ(tap >= taps.begin && tap < taps.end, inside);
        EXPECT_EQ(o >= outputs.begin && o < outputs.end, inside);
      }
  }
}

TEST(Window, LargestValuesDoNotOverflow) {
  const WindowAxis axis{kMaxSpatial, 1, kMaxSpatial, kMaxSpatial, kMaxSpatial};
  EXPECT_LE(window_output_extent(kMaxSpatial, axis), 0);
  const IndexRange taps = valid_taps(axis, 5, 0);
  EXPECT_EQ(taps.begin, 1);
  EXPECT_EQ(taps.end, 2);
}

TEST(Window, Errors) {
  const auto error = [](Attributes attributes, std::vector<Dim> weight = {}) {
    const auto window = read_window_attributes(node_with(std::move(attributes)), 2, weight);
    return window.ok() ? std::string() : window.error().text();
  };
  const Attribute k = Ints{3, 3};
  EXPECT_THAT(error({}), HasSubstr("attribute kernel_shape: missing"));
  EXPECT_THAT(error({{"kernel_shape", Ints{3}}}), HasSubstr("attribute kernel_shape: expected 2 values, found 1"));
  EXPECT_THAT(error({{"kernel_shape", Ints{0, 3}}}), HasSubstr("attribute kernel_shape: expected values in [1, "));
  EXPECT_THAT(error({{"kernel_shape", k}, {"pads", Ints{1, 1}}}),
              HasSubstr("attribute pads: expected 4 values, found 2"));
  EXPECT_THAT(error({{"kernel_shape", k}, {"pads", Ints{0, 0, -1, 0}}}), HasSubstr("attribute pads"));
  EXPECT_THAT(error({{"kernel_shape", k}, {"strides", Ints{1, 0}}}), HasSubstr("attribute strides"));
  EXPECT_THAT(error({{"kernel_shape", k}, {"dilations", Ints{1, INT64_MAX}}}),
              HasSubstr("attribute dilations: expected values in [1, 2147483648], found 9223372036854775807"));
  EXPECT_THAT(error({{"kernel_shape", k}, {"auto_pad", std::string("SAME")}}), HasSubstr("attribute auto_pad"));
  EXPECT_THAT(error({{"kernel_shape", k}}, {Dim(3), Dim(5)}), HasSubstr("attribute kernel_shape: expected 5"));
}

}  // namespace
}  // namespace fovea::ops
