#include "ops/activation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fovea {
namespace {

float at(ActivationKind kind, float a, float b, float x) { return apply_activation({kind, a, b}, x); }

TEST(Activation, Values) {
  EXPECT_EQ(at(ActivationKind::kNone, 0, 0, -2), -2);
  EXPECT_EQ(at(ActivationKind::kRelu, 0, 0, -2), 0);
  EXPECT_EQ(at(ActivationKind::kClip, 0, 6, 7), 6);
  EXPECT_EQ(at(ActivationKind::kClip, -1, 6, -7), -1);
  EXPECT_EQ(at(ActivationKind::kLeakyRelu, 0.5f, 0, -3), -1.5f);
  EXPECT_EQ(at(ActivationKind::kLeakyRelu, 0.5f, 0, 3), 3);
  EXPECT_EQ(at(ActivationKind::kSigmoid, 0, 0, 0), 0.5f);
  EXPECT_EQ(at(ActivationKind::kHardSigmoid, 0.25f, 0.5f, 1), 0.75f);
  EXPECT_EQ(at(ActivationKind::kHardSigmoid, 0.25f, 0.5f, -3), 0);
  EXPECT_EQ(at(ActivationKind::kHardSwish, 0, 0, 3), 3);
  EXPECT_EQ(at(ActivationKind::kHardSwish, 0, 0, 1.5f), 1.125f);
  EXPECT_FLOAT_EQ(at(ActivationKind::kSilu, 0, 0, 1), 0.7310586f);
  EXPECT_FLOAT_EQ(at(ActivationKind::kTanh, 0, 0, 1), 0.7615942f);
}

TEST(Activation, LargeArgumentsSaturateAndNanPasses) {
  for (const auto kind :
       {ActivationKind::kRelu, ActivationKind::kClip, ActivationKind::kLeakyRelu, ActivationKind::kSigmoid,
        ActivationKind::kHardSigmoid, ActivationKind::kHardSwish, ActivationKind::kSilu, ActivationKind::kTanh}) {
    EXPECT_TRUE(std::isnan(at(kind, 0.25f, 0.5f, std::numeric_limits<float>::quiet_NaN()))) << activation_name(kind);
    EXPECT_TRUE(std::isfinite(at(kind, 0.25f, 0.5f, -1e30f))) << activation_name(kind);
  }
}

TEST(Activation, AttributesRoundTrip) {
  for (const Activation activation : {Activation{},
                                      Activation{ActivationKind::kRelu},
                                      {ActivationKind::kClip, 0, 6},
                                      {ActivationKind::kHardSigmoid, 0.2f, 0.5f},
                                      {ActivationKind::kSilu}}) {
    Node node;
    node.attributes["activation"] = std::string("tanh");  // replaced
    write_activation(activation, node.attributes);
    const auto read = read_activation(node);
    ASSERT_TRUE(read.ok()) << read.error().text();
    EXPECT_EQ(*read, activation);
  }
}

TEST(Activation, Errors) {
  Node node;
  node.attributes["activation"] = std::string("gelu");
  EXPECT_THAT(read_activation(node).error().text(), testing::HasSubstr("attribute activation: expected one of none"));
  node.attributes["activation"] = std::string("clip");
  EXPECT_THAT(read_activation(node).error().text(), testing::HasSubstr("attribute activation_params: missing"));
  node.attributes["activation_params"] = std::vector<float>{1};
  EXPECT_THAT(read_activation(node).error().text(), testing::HasSubstr("expected 2 values for clip, found 1"));
}

}  // namespace
}  // namespace fovea
