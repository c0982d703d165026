#include "base/suggest.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

TEST(EditDistance, CountsEachKindOfEdit) {
  EXPECT_EQ(edit_distance("resnet50", "resnet50"), 0u);
  EXPECT_EQ(edit_distance("resnet5", "resnet50"), 1u);
  EXPECT_EQ(edit_distance("resnets50", "resnet50"), 1u);
  EXPECT_EQ(edit_distance("rasnet50", "resnet50"), 1u);
  EXPECT_EQ(edit_distance("rsenet50", "resnet50"), 1u) << "a swap of neighbours is one edit";
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("ResNet50", "resnet50"), 0u);
}

TEST(EditDistance, BoundsTheWorkOnLongWords) {
  EXPECT_LE(edit_distance(std::string(100000, 'a'), std::string(100000, 'b')), 64u);
}

TEST(Suggestions, NearestFirstAndNothingFarAway) {
  const std::vector<std::string> names = {"resnet18", "resnet50", "mobilenet-v1", "squeezenet"};
  EXPECT_EQ(suggestions("resnet51", names).front(), "resnet50");
  EXPECT_EQ(suggestions("squezenet", names), std::vector<std::string>{"squeezenet"});
  EXPECT_TRUE(suggestions("yolo", names).empty());
  EXPECT_EQ(suggestions("mobile", names), std::vector<std::string>{"mobilenet-v1"}) << "a prefix";
}

TEST(Suggestions, Text) {
  const std::vector<std::string> names = {"resnet18", "resnet50", "squeezenet"};
  EXPECT_EQ(did_you_mean("resnet", names), "; did you mean 'resnet18' or 'resnet50'?");
  EXPECT_EQ(did_you_mean("vgg", names), "");
}

}  // namespace
}  // namespace fovea
