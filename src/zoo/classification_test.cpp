#include "zoo/classification.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace fovea {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

std::vector<int> labels_of(const std::vector<RankedClass>& ranked) {
  std::vector<int> labels;
  for (const RankedClass& r : ranked) labels.push_back(r.label);
  return labels;
}

TEST(TopK, RanksAndAppliesSoftmax) {
  const Labels names = {{"a", "b", "c"}, {"", "", ""}};
  RankOptions options;
  options.count = 2;
  options.labels = &names;
  const std::vector<float> logits = {0, std::log(3.0f), std::log(4.0f)};
  const auto ranked = top_k(logits, options);
  ASSERT_EQ(ranked.size(), 2u);
  EXPECT_EQ(ranked[0].label, 2);
  EXPECT_EQ(ranked[0].name, "c");
  EXPECT_FLOAT_EQ(ranked[0].probability, 0.5f);
  EXPECT_FLOAT_EQ(ranked[1].probability, 0.375f);
}

TEST(TopK, LargeLogitsDoNotOverflow) {
  const auto ranked = top_k(std::vector<float>{1e30f, 3e38f, -3e38f}, {});
  EXPECT_EQ(ranked[0].label, 1);
  EXPECT_FLOAT_EQ(ranked[0].probability, 1);
}

TEST(TopK, SkipsTheBackground) {
  RankOptions options;
  options.label_offset = 1;
  options.probabilities = true;
  const auto ranked = top_k(std::vector<float>{0.9f, 0.02f, 0.08f}, options);
  ASSERT_EQ(labels_of(ranked), (std::vector<int>{1, 0}));
  EXPECT_FLOAT_EQ(ranked[0].probability, 0.08f) << "probabilities are kept as they are";
}

TEST(TopK, TiesByTheLowerClassAndNanLast) {
  EXPECT_EQ(labels_of(top_k(std::vector<float>{1, 2, 2, kNan, 1}, {})), (std::vector<int>{1, 2, 0, 4, 3}));
}

TEST(TopK, DegenerateInputs) {
  RankOptions options;
  EXPECT_TRUE(top_k({}, options).empty());
  options.count = 100;
  EXPECT_EQ(top_k(std::vector<float>{1, 2}, options).size(), 2u);
  options.label_offset = 2;
  EXPECT_TRUE(top_k(std::vector<float>{1, 2}, options).empty());
  EXPECT_EQ(top_k(std::vector<float>{kNan, kNan}, {})[0].probability, 0);
}

TEST(RankOf, AgreesWithTopK) {
  const std::vector<float> scores = {0.5f, 1, 2, 2, kNan, 1};
  const auto order = labels_of(top_k(scores, {6, 0, true, nullptr}));
  for (int place = 0; place < 6; ++place) EXPECT_EQ(rank_of(scores, order[static_cast<std::size_t>(place)], 0), place);
  EXPECT_EQ(rank_of(scores, 0, 1), 2);
  EXPECT_EQ(rank_of(scores, -1, 0), 6);
  EXPECT_EQ(rank_of(scores, 6, 0), 6);
}

TEST(OutputsProbabilities, LooksThroughReshapes) {
  const auto graph_ending_in = [](const std::vector<std::string>& ops) {
    GraphBuilder builder("g");
    ValueId x = builder.input("x", {DType::kF32, Shape{Dim(1), Dim(4)}});
    for (const std::string& op : ops) x = builder.call(op, op, {x});
    builder.output("y", x);
    return std::move(builder).finish().value();
  };
  EXPECT_TRUE(outputs_probabilities(graph_ending_in({"Softmax"})));
  EXPECT_TRUE(outputs_probabilities(graph_ending_in({"Softmax", "Flatten", "Identity"})));
  EXPECT_FALSE(outputs_probabilities(graph_ending_in({"Softmax", "Relu"})));
  EXPECT_FALSE(outputs_probabilities(graph_ending_in({"Flatten"})));
  EXPECT_FALSE(outputs_probabilities(graph_ending_in({})));
}

}  // namespace
}  // namespace fovea
