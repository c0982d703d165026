#include "zoo/load_model.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/sha256.h"
#include "export/onnx/export_onnx.h"
#include "zoo/catalogue.h"
#include "zoo/checkpoint_model.h"
#include "zoo/model_files.h"
#include "zoo/networks.h"
#include "zoo/test_models.h"

namespace fovea {
namespace fs = std::filesystem;
namespace {

using ::testing::HasSubstr;
using Synthetic = LoadOptions::Synthetic;

class LoadModel : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) /
              fmt::format("fovea_zoo_{}_{}", ::getpid(), testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string error_of(const std::string& name, const LoadOptions& options = {}) {
    const auto model = load_model(name, options);
    return model.ok() ? "no error" : model.error().text();
  }
  // A network [N,3,side,side] -> [N,classes], as a file.
  std::string write_network(const std::string& name, std::int64_t side, std::int64_t classes,
                            const std::map<std::string, std::string>& metadata = {}) {
    GraphBuilder builder("tiny");
    const ValueId x = builder.input("x", {DType::kF32, Shape{Dim::symbolic("N"), Dim(3), Dim(side), Dim(side)}});
    const ValueId pooled = builder.call("GlobalAveragePool", "pool", {x});
    const ValueId flat = builder.call("Flatten", "flat", {pooled}, {{"axis", std::int64_t{1}}});
    const ValueId w = builder.constant("w", Tensor::zeros(DType::kF32, {3, classes}));
    builder.output("y", builder.call("MatMul", "fc", {flat, w}));
    Graph graph = std::move(builder).finish().value();
    graph.metadata = metadata;
    const fs::path path = folder_ / name;
    const auto status = export_onnx(graph, path);
    EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().text());
    return path.string();
  }
  fs::path folder_;
};

TEST_F(LoadModel, UnknownNameSuggestsTheNearest) {
  const auto model = load_model("resnet51");
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code(), ErrorCode::kUsage);
  EXPECT_THAT(model.error().text(), HasSubstr("unknown model 'resnet51'; did you mean 'resnet50'"));
  EXPECT_THAT(error_of("qqqqqqqq"), HasSubstr("unknown model 'qqqqqqqq'. Known names"));
}

TEST_F(LoadModel, MissingFileSaysWhereItLooked) {
  const auto found = find_model_file(*find_model("resnet50"), {folder_});
  ASSERT_FALSE(found.ok());
  EXPECT_THAT(found.error().text(), HasSubstr("resnet50_v1.5_fp32.onnx.gz was not found in " + folder_.string()));
  EXPECT_THAT(found.error().text(), HasSubstr("FOVEA_MODELS"));
  EXPECT_THAT(error_of((folder_ / "none.onnx").string()), HasSubstr("none.onnx"));
}

TEST_F(LoadModel, AnotherHashIsAnError) {
  std::ofstream(folder_ / "resnet50_v1.5_fp32.onnx") << "not the weights";
  LoadOptions options;
  options.folders = {folder_};
  const std::string error = error_of("resnet50", options);
  EXPECT_THAT(error, HasSubstr("model 'resnet50'"));
  EXPECT_THAT(error, HasSubstr(sha256_hex_of_file(folder_ / "resnet50_v1.5_fp32.onnx").value()));
  EXPECT_THAT(error, HasSubstr("ff293879188b48b3863baf174ab1bb5a3dd9b0c3ddcc60b33039677fc1fa3afa"));
}

TEST_F(LoadModel, SyntheticWeightsAreLoud) {
  LoadOptions options;
  options.synthetic = Synthetic::kAlways;
  options.seed = 5;
  const auto model = load_model("mobilenet-v1-0.25-128", options);
  ASSERT_TRUE(model.ok()) << model.error().text();
  EXPECT_TRUE(model->synthetic);
  EXPECT_EQ(model->seed, 5u);
  EXPECT_TRUE(model->path.empty());
  EXPECT_TRUE(model->probabilities);
  EXPECT_EQ(model->label_offset, 1);
  EXPECT_EQ(model->labels.size(), 1000u);
  ASSERT_EQ(model->notices.size(), 1u);
  EXPECT_THAT(model->notices[0], HasSubstr("synthetic weights (seed 5)"));
  EXPECT_THAT(error_of("squeezenet", options), HasSubstr("cannot be built with synthetic weights"));
}

TEST_F(LoadModel, PathsTellWhatTheyCan) {
  const auto model = load_model(write_network("my.net.onnx", 64, 1001));
  ASSERT_TRUE(model.ok()) << model.error().text();
  EXPECT_EQ(model->entry.name, "my.net");
  EXPECT_FALSE(model->from_catalogue);
  EXPECT_EQ(model->entry.input.name, "x");
  EXPECT_EQ(model->label_offset, 1);
  EXPECT_EQ(model->labels.name(0), "tench");
  EXPECT_EQ(output_size(model->preprocess), (ImageSize{64, 64}));
  EXPECT_EQ(model->preprocess.resize.text(), "shorter:73");
  EXPECT_EQ(model->sha256, sha256_hex_of_file(model->path).value());
  EXPECT_THAT(model->notices, ::testing::Contains(HasSubstr("pre-processing 'pil' is assumed")));
}

TEST_F(LoadModel, GzipPathsWorkToo) {
  const auto model = load_model(write_network("net.onnx.gz", 32, 10));
  ASSERT_TRUE(model.ok()) << model.error().text();
  EXPECT_EQ(model->entry.name, "net");
  EXPECT_EQ(model->labels.size(), 0u);
}

TEST_F(LoadModel, OptionsOverrideThePath) {
  const std::string path = write_network("net.onnx", 32, 4);
  std::ofstream(folder_ / "labels.txt") << "ash\nbirch\ncedar\n";
  LoadOptions options;
  options.preprocess.preset = "mobilenet";
  options.preprocess.channel_order = "bgr";
  options.preprocess.mean = {1, 2, 3};
  options.label_offset = 1;
  options.labels_file = folder_ / "labels.txt";
  const auto model = load_model(path, options);
  ASSERT_TRUE(model.ok()) << model.error().text();
  EXPECT_EQ(model->preprocess.channel_order, ChannelOrder::kBgr);
  EXPECT_EQ(model->preprocess.mean, (std::array<float, 3>{1, 2, 3}));
  EXPECT_EQ(model->labels.name(2), "cedar");
  EXPECT_EQ(output_size(model->preprocess), (ImageSize{32, 32}));
  EXPECT_TRUE(model->notices.empty());
  options.label_offset = 0;
  EXPECT_THAT(error_of(path, options), HasSubstr("3 names, but net has 4 classes"));
  options.label_offset = 4;
  EXPECT_THAT(error_of(path, options), HasSubstr("label offset 4: net has 4 outputs"));
  options.label_offset = 1;
  options.preprocess.preset = "none-such";
  EXPECT_THAT(error_of(path, options), HasSubstr("unknown pre-processing 'none-such'"));
}

TEST_F(LoadModel, FilesRememberTheirPreProcessing) {
  const std::string key(kPreprocessMetadata);
  const std::string path =
      write_network("net.onnx", 32, 4, {{key, R"({"preset": "mobilenet", "channel_order": "bgr"})"}});
  const auto model = load_model(path);
  ASSERT_TRUE(model.ok()) << model.error().text();
  EXPECT_EQ(model->preprocess.channel_order, ChannelOrder::kBgr);
  EXPECT_EQ(model->preprocess.mean[0], 127.5f);
  EXPECT_EQ(output_size(model->preprocess), (ImageSize{32, 32}));
  EXPECT_TRUE(model->notices.empty());
  LoadOptions options;
  options.preprocess.channel_order = "rgb";  // what is said now counts more
  const auto other = load_model(path, options);
  EXPECT_EQ(other->preprocess.channel_order, ChannelOrder::kRgb);
  EXPECT_EQ(other->preprocess.mean[0], 127.5f);
  options.preprocess.preset = "caffe";  // and a preset replaces everything
  EXPECT_EQ(load_model(path, options)->preprocess.mean[0], 104);
  const std::string broken = write_network("broken.onnx", 32, 4, {{key, "{"}});
  EXPECT_THAT(error_of(broken), HasSubstr("metadata fovea_preprocess"));
}

TEST_F(LoadModel, GivenSizesAreKeptAndBroughtToTheInput) {
  const std::string path = write_network("net.onnx", 32, 4);
  LoadOptions options;
  options.preprocess.resize = "none";
  options.preprocess.crop = 24;
  const auto model = load_model(path, options);
  ASSERT_TRUE(model.ok()) << model.error().text();
  EXPECT_EQ(model->preprocess.resize.text(), "none");
  EXPECT_EQ(model->preprocess.crop, (ImageSize{24, 24}));
  EXPECT_EQ(model->preprocess.final_size, (ImageSize{32, 32}));
  options.preprocess.crop = 32;
  EXPECT_EQ(load_model(path, options)->preprocess.final_size, (ImageSize{}));
}

TEST_F(LoadModel, NotAModel) {
  std::ofstream(folder_ / "text.onnx") << "hello";
  EXPECT_THAT(error_of((folder_ / "text.onnx").string()), HasSubstr("text.onnx"));
  std::ofstream(folder_ / "weights.pth") << "hello";
  EXPECT_THAT(error_of((folder_ / "weights.pth").string()), HasSubstr("weights without a network"));
  EXPECT_THAT(error_of(folder_.string()), HasSubstr(folder_.string()));
}

TEST_F(LoadModel, EveryCatalogueFileOfTheTestData) {
  if (!fs::exists(test_model_folder()))
    GTEST_SKIP() << "no test data at " << test_model_folder() << ": set FOVEA_TEST_DATA";
  int loaded = 0;
  for (const ModelEntry& entry : model_catalogue()) {
    if (is_checkpoint_file(entry.files.front().name)) continue;
    SCOPED_TRACE(entry.name);
    LoadOptions options;
    options.folders = {test_model_folder()};
    const auto model = load_model(entry.name, options);
    ASSERT_TRUE(model.ok()) << model.error().text();
    ++loaded;
    EXPECT_EQ(model->sha256, entry.files.front().sha256);
    const Value& input = model->graph.value(model->graph.inputs().front());
    EXPECT_EQ(input.name, entry.input.name);
    EXPECT_EQ(input.type.text(),
              fmt::format("f32[N,{},{},{}]", entry.input.channels, entry.input.height, entry.input.width));
    const Value& output = model->graph.value(model->graph.outputs().front().value);
    EXPECT_EQ(output.type.shape[1].extent(), entry.classes);
    EXPECT_EQ(model->probabilities, !entry.name.starts_with("resnet"));
    EXPECT_TRUE(model->notices.empty());
    // Given as a path it is recognised by its hash.
    if (entry.name != "mobilenet-v1-0.25-128") continue;
    const auto by_path = load_model(model->path.string());
    ASSERT_TRUE(by_path.ok()) << by_path.error().text();
    EXPECT_EQ(by_path->entry.name, entry.name);
    EXPECT_TRUE(by_path->from_catalogue);
  }
  EXPECT_EQ(loaded, 13);
}

// Golden logits: PyTorch 1.13 with the Python package efficientnet-lite-pytorch 0.1.0, input sin(i / 1000).
TEST_F(LoadModel, EfficientNetLite0AgreesWithPyTorch) {
  const ModelEntry& entry = *find_model("efficientnet-lite0");
  auto folders = model_search_path({fs::path(FOVEA_SOURCE_DIR) / "build/models"});
  const auto found = find_model_file(entry, folders);
  if (!found.ok()) GTEST_SKIP() << found.error().text();
  // From a copy, so that the conversion happens here and its ONNX file is gone afterwards.
  fs::copy_file(found->path, folder_ / found->path.filename());
  LoadOptions options;
  options.folders = {folder_};
  const auto checkpoint = convert_checkpoint(entry, folder_ / found->path.filename(), found->file.sha256);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.error().text();
  EXPECT_EQ(checkpoint->path.parent_path(), folder_);
  const auto converted = load_model("efficientnet-lite0", options);
  ASSERT_TRUE(converted.ok()) << converted.error().text();
  EXPECT_EQ(converted->path, fs::canonical(folder_) / checkpoint->path.filename());
  EXPECT_EQ(converted->sha256, checkpoint->sha256);
  EXPECT_FALSE(converted->probabilities);
  EXPECT_FALSE(converted->synthetic);

  const Tensor image = sine_image({1, 3, 224, 224});
  const auto direct = run_once(checkpoint->graph, image);
  const auto through_onnx = run_once(converted->graph, image);
  ASSERT_TRUE(direct.ok()) << direct.error().text();
  ASSERT_TRUE(through_onnx.ok()) << through_onnx.error().text();
  const auto logits = direct->front().as<float>();
  const std::pair<std::size_t, float> golden[] = {{0, -0.17881876230239868f},
                                                  {100, 1.0086736679077148f},
                                                  {250, -2.704465866088867f},
                                                  {500, -1.316409945487976f},
                                                  {905, 7.0065f},
                                                  {999, -0.3409021198749542f}};
  for (const auto& [index, expected] : golden) EXPECT_NEAR(logits[index], expected, 1e-3) << index;
  EXPECT_EQ(through_onnx->front().to_floats(), direct->front().to_floats()) << "ONNX must not change a bit";

  // An ONNX file that was changed is converted anew from the checkpoint.
  std::ofstream(checkpoint->path, std::ios::app) << "x";
  const auto again = load_model("efficientnet-lite0", options);
  ASSERT_TRUE(again.ok()) << again.error().text();
  EXPECT_EQ(again->sha256, checkpoint->sha256);
  // The converted file is recognised when it is given as a path.
  const auto by_path = load_model(again->path.string());
  ASSERT_TRUE(by_path.ok()) << by_path.error().text();
  EXPECT_EQ(by_path->entry.name, "efficientnet-lite0");
}

TEST_F(LoadModel, FoldersAreSearchedInOrder) {
  const fs::path first = folder_ / "first", second = folder_ / "second";
  fs::create_directories(first);
  fs::create_directories(second);
  std::ofstream(second / "resnet18_fp32.onnx") << "x";
  const auto path = model_search_path({first, second, first, folder_ / "missing"});
  ASSERT_GE(path.size(), 2u);
  EXPECT_EQ(path[0], fs::canonical(first));
  EXPECT_EQ(path[1], fs::canonical(second));
  EXPECT_EQ(std::count(path.begin(), path.end(), fs::canonical(first)), 1);
  const auto found = find_model_file(*find_model("resnet18"), path);
  ASSERT_TRUE(found.ok());
  EXPECT_EQ(found->path, fs::canonical(second) / "resnet18_fp32.onnx");
}

}  // namespace
}  // namespace fovea
