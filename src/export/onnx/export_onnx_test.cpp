#include "export/onnx/export_onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

#include "export/onnx/encode_graph.h"
#include "graph/text.h"
#include "import/onnx/import_onnx.h"
#include "ops/evaluate.h"
#include "ops/infer.h"

namespace fovea {
namespace {

using testing::HasSubstr;

Graph graph_of(std::string_view text) {
  auto graph = parse_graph(text);
  EXPECT_TRUE(graph.ok()) << graph.error().text();
  const Status inferred = infer_graph(*graph);
  EXPECT_TRUE(inferred.ok()) << inferred.error().text();
  return std::move(graph).value();
}

constexpr TextOptions kWithValues{.constant_values = true};

// The graph after writing and reading it.
Graph round_trip(const Graph& graph, const ExportOptions& options = {}) {
  auto bytes = export_onnx_bytes(graph, options);
  EXPECT_TRUE(bytes.ok()) << bytes.error().text();
  auto again = import_onnx_bytes(*bytes, graph.name);
  EXPECT_TRUE(again.ok()) << again.error().text();
  return std::move(again).value();
}

onnx::ModelProto message_of(const Graph& graph, const ExportOptions& options = {}) {
  auto model = onnx_export::encode_model(graph, options);
  EXPECT_TRUE(model.ok()) << model.error().text();
  return **model;
}

int opset_of(const Graph& graph) { return static_cast<int>(message_of(graph).opset_import(0).version()); }

constexpr const char* kTiny = R"(
graph tiny
input x: f32[N,3,8,8]
const w: f32[4,3,3,3] = seed(1)
const b: f32[4] = {0.5, -1, 2, 0}
const low: f32[] = {0}
const high: f32[] = {6}
c = Conv@stem(x, w, b) {pads=[1,1,1,1], strides=[2,2]}
r = Clip(c, low, high)
g = GlobalAveragePool(r)
f = Flatten(g) {axis=1}
p = Softmax(f) {axis=-1}
output p
)";

TEST(ExportOnnx, RoundTripKeepsTheTextAndTheBits) {
  const Graph graph = graph_of(kTiny);
  const Graph again = round_trip(graph);
  EXPECT_EQ(to_text(graph, kWithValues), to_text(again, kWithValues));

  std::vector<Tensor> inputs;
  inputs.push_back(Tensor::zeros(DType::kF32, {2, 3, 8, 8}));
  float v = -3;
  for (float& x : inputs[0].as<float>()) x = (v += 0.017f);
  const auto one = evaluate_graph(graph, inputs), two = evaluate_graph(again, inputs);
  ASSERT_TRUE(one.ok() && two.ok());
  ASSERT_EQ(one->outputs[0].bytes(), two->outputs[0].bytes());
  EXPECT_EQ(std::memcmp(one->outputs[0].raw(), two->outputs[0].raw(), one->outputs[0].bytes()), 0);
}

TEST(ExportOnnx, RoundTripKeepsOmittedOperandsAndOutputs) {
  const Graph graph = graph_of(R"(
graph omitted
input x: f32[2,6]
const high: f32[] = {6}
const k: s64[1] = {2}
c = Clip(x, _, high)
_, i = TopK(c, k) {axis=1}
output i
)");
  EXPECT_EQ(to_text(graph, kWithValues), to_text(round_trip(graph), kWithValues));
}

TEST(ExportOnnx, RoundTripKeepsEveryElementType) {
  for (const char* type : {"f32", "f64", "f16", "bf16", "s8", "u8", "s16", "u16", "s32", "u32", "s64", "u64", "bool"}) {
    const Graph graph =
        graph_of(fmt::format("graph types\ninput x: {0}[N,3]\nconst c: {0}[2,3] = {{0, 1, 0, 1, 1, 0}}\ny = Concat(x, "
                             "c) {{axis=0}}\noutput y\n",
                             type));
    EXPECT_EQ(to_text(graph, kWithValues), to_text(round_trip(graph), kWithValues));
  }
}

TEST(ExportOnnx, AxesOfReductionsAreAnAttributeBeforeOpset18) {
  const Graph graph = graph_of(R"(
graph reduce
input x: f32[N,3,4,4]
const axes: s64[2] = {2, 3}
m = ReduceMean(x, axes) {keepdims=0}
s = ReduceSum(x, axes) {keepdims=0}
y = Add(m, s)
output y
)");
  const onnx::ModelProto old = message_of(graph);
  EXPECT_EQ(old.opset_import(0).version(), 13);
  EXPECT_EQ(old.graph().node(0).input_size(), 1);
  EXPECT_EQ(old.graph().node(1).input_size(), 2);  // ReduceSum has had them as an input since 13
  const onnx::ModelProto now = message_of(graph, {.opset = 18});
  EXPECT_EQ(now.graph().node(0).input_size(), 2);
  // Both say the same.
  const std::vector<Tensor> x = {Tensor::of<float>({1, 3, 4, 4}, std::vector<float>(48, 0.25f))};
  const auto a = evaluate_graph(round_trip(graph), x), b = evaluate_graph(round_trip(graph, {.opset = 18}), x);
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_EQ(a->outputs[0].to_floats(), b->outputs[0].to_floats());
  EXPECT_EQ(a->outputs[0].to_floats(), std::vector<float>({4.25f, 4.25f, 4.25f}));
}

TEST(ExportOnnx, OpsetIsTheOldestThatServes) {
  EXPECT_EQ(opset_of(graph_of(kTiny)), 13);
  EXPECT_EQ(opset_of(graph_of("graph g\ninput x: f32[2]\ny = HardSwish(x)\noutput y\n")), 14);
  EXPECT_EQ(opset_of(graph_of("graph g\ninput x: u8[2]\ny = Add(x, x)\noutput y\n")), 14);
  EXPECT_EQ(opset_of(graph_of("graph g\ninput x: f32[2,3]\ny = Shape(x) {start=1}\noutput y\n")), 15);
  EXPECT_EQ(opset_of(graph_of("graph g\ninput x: f32[2]\ny = Mish(x)\noutput y\n")), 18);
  EXPECT_EQ(opset_of(graph_of("graph g\ninput x: f32[2]\ninput a: s64[1]\ny = ReduceMax(x, a)\noutput y\n")), 18);
  EXPECT_EQ(opset_of(graph_of("graph g\ninput x: f32[2]\ny = Gelu(x)\noutput y\n")), 20);
}

TEST(ExportOnnx, OpsetOfTheSourceIsKept) {
  Graph graph = graph_of(kTiny);
  graph.metadata["opset"] = "17";
  EXPECT_EQ(opset_of(graph), 17);
  graph.metadata["opset"] = "7";
  EXPECT_EQ(opset_of(graph), 13);
  EXPECT_EQ(message_of(graph).ir_version(), 7);
}

TEST(ExportOnnx, AnOpsetThatIsTooOldNamesTheNode) {
  const Graph graph = graph_of("graph g\ninput x: f32[2]\ny = HardSwish@swish(x)\noutput y\n");
  const auto bytes = export_onnx_bytes(graph, {.opset = 13});
  ASSERT_FALSE(bytes.ok());
  EXPECT_THAT(bytes.error().text(), HasSubstr("node swish (HardSwish): needs opset 14, asked for 13"));
  EXPECT_FALSE(export_onnx_bytes(graph, {.opset = 12}).ok());
  EXPECT_FALSE(export_onnx_bytes(graph, {.opset = 22}).ok());
}

TEST(ExportOnnx, OnlyTargetOperatorsCannotBeWritten) {
  for (const OpSpec& op : op_table())
    EXPECT_EQ(onnx_export::is_exportable(op.name), !op.name.starts_with("Fused")) << op.name;
  GraphBuilder builder("target");
  const ValueId x = builder.input("x", {DType::kF32, {1, 3, 4, 4}});
  const ValueId w = builder.constant("w", Tensor::zeros(DType::kF32, {2, 3, 1, 1}));
  builder.output("y", builder.call("FusedConv", "conv", {x, w}));
  const auto bytes = export_onnx_bytes(*std::move(builder).finish());
  ASSERT_FALSE(bytes.ok());
  EXPECT_EQ(bytes.error().code(), ErrorCode::kUnsupported);
  EXPECT_THAT(bytes.error().text(), HasSubstr("FusedConv (node conv)"));
}

TEST(ExportOnnx, AttributesOfTargetsCannotBeWritten) {
  GraphBuilder builder("target");
  const ValueId x = builder.input("x", {DType::kF32, {2}});
  builder.output("y", builder.call("Add", "sum", {x, x}, {{"activation", std::string("relu")}}));
  const auto bytes = export_onnx_bytes(*std::move(builder).finish());
  ASSERT_FALSE(bytes.ok());
  EXPECT_THAT(bytes.error().text(), HasSubstr("node sum (Add) › attribute activation"));
}

TEST(ExportOnnx, PhysicalLayoutsCannotBeWritten) {
  Graph graph = graph_of(kTiny);
  GraphPatch patch(graph, "layout");
  patch.set_layout(graph.node(0).outputs[0], Layout::kChannelsLast);
  ASSERT_TRUE(std::move(patch).apply(graph).ok());
  const auto bytes = export_onnx_bytes(graph);
  ASSERT_FALSE(bytes.ok());
  EXPECT_THAT(bytes.error().text(), HasSubstr("value c: expected row-major"));
}

TEST(ExportOnnx, OutputsThatShareAValueBecomeCopies) {
  GraphBuilder builder("shared");
  const ValueId x = builder.input("x", {DType::kF32, {2}});
  const ValueId c = builder.constant("c", Tensor::of<float>({2}, {3, 4}));
  const ValueId y = builder.call("Relu", "relu", {x});
  builder.output("same", x);
  builder.output("constant", c);
  builder.output("first", y);
  builder.output("second", y);
  const Graph graph = *std::move(builder).finish();
  const Graph again = round_trip(graph);
  ASSERT_EQ(again.outputs().size(), 4u);
  EXPECT_EQ(again.outputs()[3].name, "second");
  const std::vector<Tensor> inputs = {Tensor::of<float>({2}, {-1, 1})};
  const auto result = evaluate_graph(again, inputs);
  ASSERT_TRUE(result.ok()) << result.error().text();
  EXPECT_EQ(result->outputs[0].to_floats(), (std::vector<float>{-1, 1}));
  EXPECT_EQ(result->outputs[1].to_floats(), (std::vector<float>{3, 4}));
  EXPECT_EQ(result->outputs[2].to_floats(), (std::vector<float>{0, 1}));
  EXPECT_EQ(result->outputs[3].to_floats(), (std::vector<float>{0, 1}));
}

TEST(ExportOnnx, EqualValueNamesAreMadeDifferent) {
  GraphBuilder builder("names");
  const ValueId x = builder.input("v", {DType::kF32, {2}});
  const ValueId c = builder.constant("v", Tensor::of<float>({2}, {3, 4}));
  const ValueId y = builder.call("Add", "v", {x, c});
  builder.output("y", builder.call("Mul", "v", {y, c}));
  const Graph again = round_trip(*std::move(builder).finish());
  const std::vector<Tensor> inputs = {Tensor::of<float>({2}, {1, 1})};
  EXPECT_EQ(evaluate_graph(again, inputs)->outputs[0].to_floats(), (std::vector<float>{12, 20}));
}

class ExportToFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) /
              fmt::format("fovea-export-{}", testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }
  std::filesystem::path folder_;
};

TEST_F(ExportToFile, PlainAndCompressedReadTheSame) {
  const Graph graph = graph_of(kTiny);
  for (const char* name : {"tiny.onnx", "tiny.onnx.gz"}) {
    ASSERT_TRUE(export_onnx(graph, folder_ / name).ok());
    const auto again = import_onnx(folder_ / name);
    ASSERT_TRUE(again.ok()) << again.error().text();
    EXPECT_EQ(to_text(graph, kWithValues), to_text(*again, kWithValues));
  }
  EXPECT_EQ(files(), 2u);
  std::ifstream zipped(folder_ / "tiny.onnx.gz", std::ios::binary);
  EXPECT_EQ(zipped.get(), 0x1f);
  EXPECT_EQ(zipped.get(), 0x8b);
}

TEST_F(ExportToFile, AFailureLeavesTheOldFileAndNothingElse) {
  const Graph graph = graph_of(kTiny);
  ASSERT_TRUE(export_onnx(graph, folder_ / "net.onnx").ok());
  const auto before = std::filesystem::file_size(folder_ / "net.onnx");
  EXPECT_FALSE(export_onnx(graph, folder_ / "net.onnx", {.opset = 99}).ok());
  EXPECT_EQ(std::filesystem::file_size(folder_ / "net.onnx"), before);
  EXPECT_EQ(files(), 1u);
  const Status missing = export_onnx(graph, folder_ / "nowhere" / "net.onnx");
  ASSERT_FALSE(missing.ok());
  EXPECT_THAT(missing.error().text(), HasSubstr("cannot create"));
  std::filesystem::create_directory(folder_ / "dir.onnx");
  EXPECT_THAT(export_onnx(graph, folder_ / "dir.onnx").error().text(), HasSubstr("expected a regular file"));
}

TEST_F(ExportToFile, AFullDiskIsAnErrorAndLeavesNothing) {
  // A limit on file sizes stands in for the end of the disk.
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{100, before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = export_onnx(graph_of(kTiny), folder_ / "net.onnx");
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(status.ok());
  EXPECT_THAT(status.error().text(), HasSubstr("cannot write: File too large"));
  EXPECT_EQ(files(), 0u);
}

TEST(ExportOnnx, MetadataIsKept) {
  Graph graph = graph_of(kTiny);
  graph.metadata = {{"opset", "13"}, {"producer", "somebody 1.0"}, {"calibration", "minmax"}};
  const Graph again = round_trip(graph, {.producer_version = "9.9"});
  EXPECT_EQ(again.metadata.at("calibration"), "minmax");
  EXPECT_EQ(again.metadata.at("producer"), "fovea 9.9");
  EXPECT_EQ(again.metadata.at("opset"), "13");
}

}  // namespace
}  // namespace fovea
