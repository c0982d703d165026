#include <limits>

#include "ops/op_under_test.h"

namespace fovea::ops {
namespace {

using testing::HasSubstr;

// Pairs of boxes that overlap by 0.8 to 0.9, each pair far from the next.
Tensor boxes() {
  return Tensor::of<float>(
      {1, 6, 4}, {0, 0, 1, 1, 0, 0.1f, 1, 1.1f, 0, -0.1f, 1, 0.9f, 0, 10, 1, 11, 0, 10.1f, 1, 11.1f, 0, 100, 1, 101});
}
Tensor scores() { return Tensor::of<float>({1, 1, 6}, {0.9f, 0.75f, 0.6f, 0.95f, 0.5f, 0.3f}); }

OpUnderTest suppression(Tensor b, Tensor s, std::int64_t most, float iou, std::optional<float> score = {}) {
  OpUnderTest out{"NonMaxSuppression", {std::move(b), std::move(s), ints({most}), Tensor::of<float>({1}, {iou})}};
  if (score) out.inputs.emplace_back(Tensor::of<float>({1}, {*score}));
  return out;
}

TEST(NonMaxSuppression, ByOverlapScoreAndCount) {
  expect_tensor<std::int64_t>(suppression(boxes(), scores(), 3, 0.5f, 0.0f).result(), {3, 3},
                              {0, 0, 3, 0, 0, 0, 0, 0, 5});
  expect_tensor<std::int64_t>(suppression(boxes(), scores(), 3, 0.5f, 0.4f).result(), {2, 3}, {0, 0, 3, 0, 0, 0});
  expect_tensor<std::int64_t>(suppression(boxes(), scores(), 2, 0.5f).result(), {2, 3}, {0, 0, 3, 0, 0, 0});
  expect_tensor<std::int64_t>(suppression(boxes(), scores(), std::numeric_limits<std::int64_t>::max(), 1).result(),
                              {6, 3}, {0, 0, 3, 0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 4, 0, 0, 5});
  expect_tensor<std::int64_t>(OpUnderTest{"NonMaxSuppression", {boxes(), scores()}}.result(), {0, 3}, {});
  expect_tensor<std::int64_t>(suppression(boxes(), scores(), -1, 0.5f).result(), {0, 3}, {});
}

TEST(NonMaxSuppression, FlippedCornersAndCentres) {
  const Tensor flipped = Tensor::of<float>({1, 2, 4}, {1, 1, 0, 0, 1, 0.1f, 0, 1.1f});
  const Tensor two = Tensor::of<float>({1, 1, 2}, {0.5f, 0.6f});
  expect_tensor<std::int64_t>(suppression(flipped, two, 9, 0.5f).result(), {1, 3}, {0, 0, 1});
  OpUnderTest centred = suppression(Tensor::of<float>({1, 2, 4}, {0.5f, 0.5f, 1, 1, 0.6f, 0.5f, 1, 1}), two, 9, 0.5f);
  centred.attributes["center_point_box"] = std::int64_t{1};
  expect_tensor<std::int64_t>(centred.result(), {1, 3}, {0, 0, 1});
}

TEST(NonMaxSuppression, ImagesClassesAndEqualScores) {
  const Tensor b = Tensor::of<float>({2, 2, 4}, {0, 0, 1, 1, 0, 5, 1, 6, 0, 0, 1, 1, 0, 0, 1, 1});
  const Tensor s = Tensor::of<float>({2, 2, 2}, {0.5f, 0.5f, 0.1f, 0.2f, 0.5f, 0.5f, 0.1f, 0.2f});
  expect_tensor<std::int64_t>(suppression(b, s, 5, 0.5f).result(), {6, 3},
                              {0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 1});
}

TEST(NonMaxSuppression, OddNumbers) {
  const float nan = std::numeric_limits<float>::quiet_NaN(), inf = std::numeric_limits<float>::infinity();
  const Tensor b = Tensor::of<float>({1, 3, 4}, {nan, 0, 1, 1, -inf, -inf, inf, inf, 0, 0, 0, 0});
  const Tensor s = Tensor::of<float>({1, 1, 3}, {0.5f, 0.25f, nan});
  expect_tensor<std::int64_t>(suppression(b, s, 5, 0.5f).result(), {2, 3}, {0, 0, 0, 0, 0, 1});
  expect_tensor<std::int64_t>(suppression(iota({1, 0, 4}), iota({1, 2, 0}), 5, 0.5f).result(), {0, 3}, {});
}

TEST(NonMaxSuppression, OperandsAreChecked) {
  EXPECT_THAT(suppression(boxes(), iota({1, 1, 5}), 3, 0.5f).error(), HasSubstr("found [1,6,4] and [1,1,5]"));
  EXPECT_THAT(suppression(iota({1, 6, 5}), scores(), 3, 0.5f).error(), HasSubstr("expected boxes [N,B,4]"));
  EXPECT_THAT(suppression(iota({6, 4}), scores(), 3, 0.5f).error(), HasSubstr("operand boxes: expected rank 3"));
  EXPECT_THAT(suppression(boxes(), scores(), 3, 1.5f).error(),
              HasSubstr("operand iou_threshold: expected a value from 0 to 1"));
  EXPECT_THAT(suppression(boxes(), scores(), 3, std::numeric_limits<float>::quiet_NaN()).error(),
              HasSubstr("iou_threshold"));
  EXPECT_EQ(inferred_text("NonMaxSuppression", {boxes(), scores()}), "s64[?,3]");
}

}  // namespace
}  // namespace fovea::ops
