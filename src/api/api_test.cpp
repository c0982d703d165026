#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "export/onnx/export_onnx.h"
#include "fovea/fovea.h"
#include "graph/graph.h"
#include "ops/infer.h"

namespace fovea {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// [N,3,2,2] -> ReLU -> mean over the image -> [N,3]: small enough to know every answer.
Graph tiny_classifier() {
  GraphBuilder builder("tiny");
  const ValueId x = builder.input("image", {DType::kF32, Shape{Dim::symbolic("N"), 3, 2, 2}});
  const ValueId relu = builder.call("Relu", "relu", {x});
  const ValueId mean = builder.call("GlobalAveragePool", "mean", {relu});
  builder.output("scores", builder.call("Flatten", "flat", {mean}, {{"axis", std::int64_t{1}}}));
  auto graph = std::move(builder).finish();
  if (!graph.ok()) throw std::runtime_error(graph.error().text());
  if (auto status = infer_graph(*graph); !status.ok()) throw std::runtime_error(status.error().text());
  return std::move(graph).value();
}

class Api : public testing::Test {
 protected:
  void SetUp() override {
    const auto status = export_onnx(tiny_classifier(), path_);
    ASSERT_TRUE(status.ok()) << status.error().text();
  }
  void TearDown() override { std::filesystem::remove(path_); }
  Model tiny() const { return Model::load(path_); }

  const std::string path_ = testing::TempDir() + "fovea_api_" + std::to_string(getpid()) + ".onnx";
};

// The kind of the Exception that f throws, and its text.
template <class F>
std::pair<int, std::string> thrown(F&& f) {
  try {
    f();
  } catch (const Exception& e) {
    return {static_cast<int>(e.kind()), e.what()};
  }
  return {0, "nothing was thrown"};
}

void expect_thrown(const std::pair<int, std::string>& found, ErrorKind kind, const std::string& text) {
  EXPECT_EQ(found.first, static_cast<int>(kind)) << found.second;
  EXPECT_THAT(found.second, HasSubstr(text));
}

TEST_F(Api, LoadsAFileAndSaysWhatItIs) {
  const Model model = tiny();
  ASSERT_EQ(model.inputs().size(), 1u);
  EXPECT_EQ(model.inputs()[0].name, "image");
  EXPECT_EQ(model.inputs()[0].type, ElementType::kF32);
  EXPECT_THAT(model.inputs()[0].dims, ElementsAre(-1, 3, 2, 2));
  EXPECT_EQ(model.outputs().at(0).name, "scores");
  EXPECT_EQ(model.path(), path_);
  EXPECT_EQ(model.sha256().size(), 64u);
  EXPECT_FALSE(model.synthetic());
}

TEST_F(Api, RunsInBothOrdersAndBatches) {
  CompileSettings settings;
  settings.batch = 2;
  settings.threads = 1;
  for (AxisOrder order : {AxisOrder::kRowMajor, AxisOrder::kChannelsLast}) {
    settings.input_order = order;
    const CompiledModel compiled(tiny(), settings);
    EXPECT_THAT(compiled.inputs().at(0).dims, ElementsAre(2, 3, 2, 2));
    Array image(ElementType::kF32, {2, 3, 2, 2}, order);
    for (std::size_t n = 0; n < 2; ++n)
      for (std::size_t c = 0; c < 3; ++c)
        for (std::size_t i = 0; i < 4; ++i)
          image.floats()[n * 12 + (order == AxisOrder::kRowMajor ? c * 4 + i : i * 3 + c)] =
              static_cast<float>(n * 10 + c) - 1;
    Runner runner(compiled);
    const std::vector<Array> out = runner.run(image);
    ASSERT_EQ(out.size(), 1u);
    EXPECT_THAT(out[0].dims(), ElementsAre(2, 3));
    EXPECT_THAT(out[0].floats(), ElementsAre(0, 0, 1, 9, 10, 11));
  }
}

TEST_F(Api, RunsOnTheCallersMemory) {
  Runner runner{CompiledModel(tiny())};
  const std::vector<std::int64_t> in_dims{1, 3, 2, 2}, out_dims{1, 3};
  const std::vector<float> in(12, 0.5f);
  std::vector<float> out(3, -1.f);
  const ConstArrayView input(ElementType::kF32, AxisOrder::kRowMajor, in_dims, in.data());
  const ArrayView output{ElementType::kF32, AxisOrder::kRowMajor, out_dims, out.data()};
  runner.run({&input, 1}, {&output, 1});
  EXPECT_THAT(out, ElementsAre(0.5f, 0.5f, 0.5f));
}

TEST_F(Api, RunnersOfOneCompiledModelAreIndependent) {
  CompileSettings settings;
  settings.threads = 1;
  const CompiledModel compiled(tiny(), settings);
  std::vector<float> answers(4);
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < answers.size(); ++t)
      threads.emplace_back([&, t] {
        Runner runner(compiled);
        Array image(ElementType::kF32, {1, 3, 2, 2});
        for (float& v : image.floats()) v = static_cast<float>(t);
        for (int i = 0; i < 50; ++i) answers[t] = runner.run(image).at(0).floats()[2];
      });
  }
  EXPECT_THAT(answers, ElementsAre(0, 1, 2, 3));
}

TEST_F(Api, ClassifiesPixels) {
  LoadSettings settings;
  settings.preprocess = "torchvision";
  Classifier classifier(Model::load(path_, settings));
  std::vector<std::uint8_t> blue(3 * 300 * 260);
  for (std::size_t i = 2; i < blue.size(); i += 3) blue[i] = 255;
  const auto classes = classifier.classify_rgb(blue, 300, 260, 2);
  ASSERT_EQ(classes.size(), 2u);
  EXPECT_EQ(classes[0].label, 2);
  EXPECT_GT(classes[0].probability, classes[1].probability);
  expect_thrown(thrown([&] { classifier.classify_rgb(blue, 300, 261); }), ErrorKind::kBadInput,
                "expected 234900 bytes");
  expect_thrown(thrown([&] { classifier.classify_rgb({}, 0, 0); }), ErrorKind::kResource, "0x0");
  expect_thrown(thrown([&] { classifier.classify_rgb(blue, 300, 260, 0); }), ErrorKind::kUsage, "count");
  expect_thrown(thrown([&] { classifier.classify_file("/nowhere.jpg"); }), ErrorKind::kBadInput, "/nowhere.jpg");
  expect_thrown(thrown([&] { classifier.classify_encoded(std::as_bytes(std::span(blue))); }), ErrorKind::kBadInput, "");
}

TEST_F(Api, SaysWhatIsWrong) {
  expect_thrown(thrown([] { Model::load("resnet5"); }), ErrorKind::kUsage, "resnet50");
  expect_thrown(thrown([] { Model::load("/nowhere/m.onnx"); }), ErrorKind::kBadInput, "/nowhere/m.onnx");
  CompileSettings settings;
  settings.batch = 0;
  expect_thrown(thrown([&] { CompiledModel(tiny(), settings); }), ErrorKind::kUsage, "batch");
  settings.batch = 1;
  settings.isa = "mmx";
  expect_thrown(thrown([&] { CompiledModel(tiny(), settings); }), ErrorKind::kUsage, "mmx");
  settings.isa.clear();
  settings.threads = -1;
  expect_thrown(thrown([&] { CompiledModel(tiny(), settings); }), ErrorKind::kUsage, "threads");
  Runner runner{CompiledModel(tiny())};
  expect_thrown(thrown([&] {
                  runner.run(Array(ElementType::kF32, {1, 3, 3, 2}));
                }),
                ErrorKind::kBadInput, "input image: expected f32[1,3,2,2]");
  expect_thrown(thrown([&] { runner.run(Array(ElementType::kU8, {1, 3, 2, 2})); }), ErrorKind::kBadInput, "u8");
  expect_thrown(thrown([&] { runner.run(std::span<const Array>()); }), ErrorKind::kBadInput, "1 inputs");
}

TEST(ApiArray, IsZeroedChecksItsShapeAndCopies) {
  Array a(ElementType::kF32, {2, 3});
  EXPECT_THAT(a.floats(), testing::Each(0.f));
  a.floats()[5] = 7;
  const Array b = a;
  a.floats()[5] = 8;
  EXPECT_EQ(b.floats()[5], 7);
  EXPECT_EQ(b.bytes(), 24u);
  expect_thrown(thrown([&] { a.u8s(); }), ErrorKind::kUsage, "f32");
  expect_thrown(thrown([] { Array(ElementType::kF32, {-1}); }), ErrorKind::kUsage, "");
  expect_thrown(thrown([] { Array(ElementType::kF32, {1 << 30, 1 << 30}); }), ErrorKind::kUsage, "");
  expect_thrown(thrown([] { Array(ElementType::kF32, std::vector<std::int64_t>(9, 1)); }), ErrorKind::kUsage, "9 axes");
  expect_thrown(thrown([] {
                  Array(ElementType::kF32, {1, 2}, AxisOrder::kChannelsLast);
                }),
                ErrorKind::kUsage, "3 axes");
}

TEST(ApiModels, AreKnownByName) {
  EXPECT_THAT(known_models(), testing::Contains("efficientnet-lite0"));
  EXPECT_THAT(version(), HasSubstr("."));
}

}  // namespace
}  // namespace fovea
