#include "zoo/networks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "ops/evaluate.h"
#include "ops/infer.h"
#include "zoo/catalogue.h"
#include "zoo/test_models.h"

namespace fovea {
namespace {

using ::testing::HasSubstr;

double total_macs(const Graph& graph) {
  double macs = 0;
  for (const NodeId id : graph.topological_order()) macs += node_cost(graph, id).macs;
  return macs;
}

// Elements of weights, biases, scales and shifts; running statistics are no parameters.
std::int64_t parameters(const Graph& graph) {
  std::int64_t count = 0;
  for (const NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    if (node.op == "Clip") continue;
    const std::size_t last = node.op == "BatchNormalization" ? 3 : node.inputs.size();
    for (std::size_t i = 1; i < last; ++i)
      if (const auto& constant = graph.value(node.inputs[i]).constant) count += constant->count();
  }
  return count;
}

struct Expected {
  const char* network;
  double macs;
  std::int64_t parameters;
};

class Networks : public testing::TestWithParam<Expected> {};

// MACs and parameters: reference/roofline.py of the design for resnet50 and mobilenet-v1, the authors' code for the
// others.
TEST_P(Networks, HaveTheirMacsAndParameters) {
  const NetworkSpec* network = find_network(GetParam().network);
  ASSERT_NE(network, nullptr);
  SyntheticWeights weights(1);
  const auto graph = network->build(weights);
  ASSERT_TRUE(graph.ok()) << graph.error().text();
  ASSERT_TRUE(verify(*graph).ok());
  EXPECT_EQ(total_macs(*graph), GetParam().macs);
  EXPECT_EQ(parameters(*graph), GetParam().parameters);
  const ModelEntry& entry = *find_model(GetParam().network);
  const Value& input = graph->value(graph->inputs().front());
  EXPECT_EQ(input.name, entry.input.name);
  EXPECT_EQ(input.type.text(), fmt::format("f32[N,3,{},{}]", entry.input.height, entry.input.width));
  const Value& output = graph->value(graph->outputs().front().value);
  EXPECT_EQ(output.type.text(), fmt::format("f32[N,{}]", entry.classes));
}

// Neither vanishing nor exploding, and every image another answer.
TEST_P(Networks, SyntheticActivationsStaySane) {
  SyntheticWeights weights(7);
  const auto graph = find_network(GetParam().network)->build(weights);
  ASSERT_TRUE(graph.ok()) << graph.error().text();
  const ModelEntry& entry = *find_model(GetParam().network);
  const auto outputs = run_once(*graph, sine_image({1, 3, entry.input.height, entry.input.width}));
  ASSERT_TRUE(outputs.ok()) << outputs.error().text();
  const auto scores = outputs->front().as<float>();
  double sum = 0, squares = 0;
  for (const float s : scores) {
    ASSERT_TRUE(std::isfinite(s));
    sum += s;
    squares += static_cast<double>(s) * s;
  }
  const double count = static_cast<double>(scores.size()), mean = sum / count;
  const double deviation = std::sqrt(squares / count - mean * mean);
  if (graph->node(graph->value(graph->outputs().front().value).producer).op == "Softmax") {
    EXPECT_NEAR(sum, 1, 1e-4);
    EXPECT_GT(deviation, 1e-5);
    EXPECT_LT(deviation, 1e-2) << "one class should not take it all";
  } else {
    EXPECT_GT(deviation, 0.02);
    EXPECT_LT(deviation, 20);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Networks,
    testing::Values(Expected{"resnet50", 4089184256, 25557032}, Expected{"resnet18", 1814073344, 11689512},
                    Expected{"mobilenet-v1", 568741376, 4233001}, Expected{"mobilenet-v1-0.25-128", 13570304, 470329},
                    Expected{"mobilenet-v2", 300775552, 3506153}, Expected{"efficientnet-lite0", 385187552, 4652008}),
    [](const auto& info) {
      std::string name = info.param.network;
      std::replace_if(
          name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
      return name;
    });

TEST(SyntheticWeights, DependOnSeedAndNameOnly) {
  const WeightRequest a = {"a", {4, 9}}, b = {"b", {4, 9}};
  SyntheticWeights one(1), again(1), two(2);
  const auto bytes = [](Result<Tensor> tensor) { return tensor.value().to_floats(); };
  const auto first = bytes(one.get(a));
  EXPECT_NE(bytes(one.get(b)), first);
  EXPECT_EQ(bytes(again.get(a)), first);
  EXPECT_EQ(bytes(one.get(a)), first) << "whatever was asked for before";
  EXPECT_NE(bytes(two.get(a)), first);
}

TEST(SyntheticWeights, HaveTheWantedVariance) {
  SyntheticWeights weights(3);
  const auto tensor = weights.get({"w", {64, 16, 3, 3}, WeightRequest::Role::kWeight, 2.0f}).value();
  double squares = 0;
  for (const float v : tensor.as<float>()) squares += static_cast<double>(v) * v;
  EXPECT_NEAR(squares / static_cast<double>(tensor.count()), 4.0 / 144, 0.05 * 4.0 / 144);
}

TEST(CheckpointWeights, ErrorsNameTheTensor) {
  TorchCheckpoint checkpoint;
  checkpoint.add("good", Tensor::of<Half>({2}, {Half(1.0f), Half(2.0f)}));
  checkpoint.add("integers", Tensor::of<std::int64_t>({1}, {1}));
  CheckpointWeights weights(checkpoint);
  EXPECT_EQ(weights.get({"good", {2}}).value().to_floats(), (std::vector<float>{1, 2}));
  EXPECT_THAT(weights.get({"bad", {2}}).error().text(), HasSubstr("no tensor 'bad'"));
  EXPECT_THAT(weights.get({"good", {3}}).error().text(), HasSubstr("'good': expected dims [3], found [2]"));
  EXPECT_THAT(weights.get({"integers", {1}}).error().text(), HasSubstr("expected floats, found s64"));
  const auto network = build_resnet18(weights);
  ASSERT_FALSE(network.ok());
  EXPECT_THAT(network.error().text(), HasSubstr("building resnet18 › the checkpoint has no tensor 'conv1.weight'"));
}

// The synthetic networks are the same networks as the real files: same work, layer by layer.
TEST(Networks, MatchTheRealFiles) {
  if (!std::filesystem::exists(test_model_folder()))
    GTEST_SKIP() << "no test data at " << test_model_folder() << ": set FOVEA_TEST_DATA";
  for (const NetworkSpec& network : networks()) {
    const ModelEntry& entry = *find_model(network.name);
    LoadOptions options;
    options.folders = {test_model_folder()};
    if (!std::filesystem::exists(test_model_folder() / entry.files.front().name)) continue;
    const auto real = load_model(entry.name, options);
    ASSERT_TRUE(real.ok()) << real.error().text();
    SyntheticWeights weights(1);
    const auto synthetic = network.build(weights);
    ASSERT_TRUE(synthetic.ok());
    EXPECT_EQ(total_macs(*synthetic), total_macs(real->graph)) << network.name;
  }
}

}  // namespace
}  // namespace fovea
