#include <filesystem>

#include "backends/onednn/tactic_fixture.h"

namespace fovea::onednn {
namespace {

struct ConvCase {
  const char* name;
  std::int64_t in, out, height, width, kernel;
  const char* attributes;  // of the node, without group and activation
  std::int64_t group = 1;
  const char* activation = "";
  bool residual = false;
};

// Shapes of real networks scaled down in height, and odd ones. Two million MACs at most, so that the reference is
// quick.
const ConvCase kCases[] = {
    {"first_7x7", 3, 20, 30, 29, 7, "strides=[2,2], pads=[3,3,3,3]", 1, "relu"},
    {"first_same_padding", 3, 32, 28, 28, 3, "strides=[2,2], pads=[0,0,1,1]", 1, "hard_swish"},
    {"dense_3x3", 16, 64, 14, 14, 3, "pads=[1,1,1,1]", 1, "relu"},
    {"dense_3x3_residual", 16, 32, 17, 15, 3, "pads=[1,1,1,1]", 1, "relu", true},
    {"dense_3x3_few_rows", 16, 130, 7, 7, 3, "pads=[1,1,1,1]", 1, "relu"},
    {"dense_3x3_few_rows_residual", 16, 136, 7, 7, 3, "pads=[1,1,1,1]", 1, "clip", true},
    {"stride_2", 24, 48, 25, 23, 3, "strides=[2,2], pads=[1,1,1,1]", 1, "leaky_relu"},
    {"asymmetric_pads", 13, 17, 19, 21, 3, "pads=[0,1,2,3]", 1, "tanh"},
    {"asymmetric_kernel_reach", 8, 16, 21, 13, 5, "pads=[4,0,1,3], strides=[3,1]"},
    {"dilated", 12, 32, 24, 22, 3, "pads=[2,2,2,2], dilations=[2,2]", 1, "silu"},
    {"dilated_no_pads", 8, 16, 26, 24, 3, "dilations=[3,2]"},
    {"grouped", 24, 48, 16, 16, 3, "pads=[1,1,1,1]", 3, "relu"},
    {"grouped_narrow", 12, 18, 15, 11, 3, "pads=[1,1,1,1]", 6},
    {"depthwise_3x3", 64, 64, 28, 20, 3, "pads=[1,1,1,1]", 64, "clip"},
    {"depthwise_stride_2", 32, 32, 29, 27, 3, "pads=[0,0,1,1], strides=[2,2]", 32, "hard_swish"},
    {"depthwise_5x5_odd", 19, 19, 15, 15, 5, "pads=[2,2,2,2]", 19, "relu", true},
    {"pointwise", 64, 96, 13, 11, 1, "", 1, "relu"},
    {"pointwise_residual", 96, 24, 14, 14, 1, "", 1, "", true},
    {"pointwise_odd", 37, 11, 29, 31, 1, "", 1, "sigmoid"},
    {"pointwise_stride_2", 32, 64, 28, 28, 1, "strides=[2,2]"},
    {"pointwise_on_one_pixel", 96, 240, 1, 1, 1, "", 1, "hard_sigmoid"},
    {"pointwise_wide_on_one_pixel", 512, 1000, 1, 1, 1, ""},
    {"one_channel", 1, 1, 9, 9, 3, "pads=[1,1,1,1]"},
};

std::string text_of(const ConvCase& c, std::string_view dtype, std::int64_t batch) {
  const std::string activation =
      std::string(c.activation) == "clip"           ? ", activation=\"clip\", activation_params=[0.0,6.0]"
      : std::string(c.activation) == "leaky_relu"   ? ", activation=\"leaky_relu\", activation_params=[0.1,0.0]"
      : std::string(c.activation) == "hard_sigmoid" ? ", activation=\"hard_sigmoid\", activation_params=[0.2,0.5]"
      : *c.activation                               ? fmt::format(", activation=\"{}\"", c.activation)
                                                    : "";
  const std::string attributes =
      fmt::format("{}{}group={}{}", c.attributes, *c.attributes ? ", " : "", c.group, activation);
  const std::string head = fmt::format(
      "input x: {0}[{1},{2},{3},{4}]\nconst w: {0}[{5},{6},{7},{7}] = seed(1)\nconst b: f32[{5}] = seed(2)\n", dtype,
      batch, c.in, c.height, c.width, c.out, c.in / c.group, c.kernel);
  if (!c.residual) return head + fmt::format("y = FusedConv(x, w, b) {{{}}}\noutput y\n", attributes);
  // The residual's extents are the result's: found by asking for the result without it.
  auto graph = parse_graph("graph t\n" + head + fmt::format("y = FusedConv(x, w, b) {{{}}}\noutput y\n", attributes));
  EXPECT_TRUE(graph.ok() && infer_graph(*graph).ok());
  const std::string extents = graph->value(graph->outputs()[0].value).type.text();
  return head + fmt::format("input r: {}\ny = FusedConv(x, w, b, r) {{{}}}\noutput y\n", extents, attributes);
}

// Both sum the same products: f32 in another order; bf16 operands are exact in f32 and the result is rounded once.
double tolerance_of(const ConvCase& c, std::string_view dtype) {
  const double depth = static_cast<double>(c.in / c.group * c.kernel * c.kernel);
  return dtype == "bf16" ? 1.0 / 128 : 4e-7 * std::sqrt(depth) + 2e-6;
}

class ConvTest : public testing::TestWithParam<ConvCase> {};

TEST_P(ConvTest, EqualsReferenceAndItselfOnEveryTeam) {
  const ConvCase& c = GetParam();
  if (!active_cpu().avx2) GTEST_SKIP() << "oneDNN is used on AVX2 and better";
  for (const std::string_view dtype : {"f32", "bf16"}) {
    if (dtype == "bf16" && !active_cpu().avx512_bf16) continue;
    const std::string what = fmt::format("{} {}", c.name, dtype);
    TacticFixture one(text_of(c, dtype, 1), "onednn_conv"), three(text_of(c, dtype, 3), "onednn_conv");
    ASSERT_TRUE(one.verdict().applies) << what << ": " << one.verdict().reason;
    const Tensor alone = one.run(1);
    expect_close(alone, one.reference(), tolerance_of(c, dtype), what);
    for (int threads : {2, 3, 4}) EXPECT_TRUE(same_bytes(alone, one.run(threads))) << what << " threads " << threads;
    EXPECT_TRUE(same_bytes(alone, one.run(2, 1))) << what << " planned for one thread, run by two";
    // The first image of a batch is the same image.
    for (std::size_t i = 0; i < three.inputs().size(); ++i)
      std::memcpy(three.inputs()[i].raw(), one.inputs()[i].raw(), one.inputs()[i].bytes());
    const Tensor batch = three.run(1);
    EXPECT_EQ(std::memcmp(batch.raw(), alone.raw(), alone.bytes()), 0) << what << " batch 3";
    EXPECT_TRUE(same_bytes(batch, three.run(2))) << what << " batch 3, threads 2";
  }
}

INSTANTIATE_TEST_SUITE_P(Shapes, ConvTest, testing::ValuesIn(kCases), [](const auto& info) { return info.param.name; });

TEST(ConvTactic, RefusesWhatOnednnCannotDo) {
  if (!active_cpu().avx2) GTEST_SKIP() << "oneDNN is used on AVX2 and better";
  const auto reason = [](const std::string& text, const CpuFeatures& cpu = active_cpu()) {
    return TacticFixture(text, "onednn_conv", cpu).verdict().reason;
  };
  const std::string weights = "const w: f32[8,4,3,3] = seed(1)\n";
  EXPECT_THAT(reason("input x: f32[1,4,8,8]\n" + weights + "input s: f32[1,4,1,1]\n" +
                     "y = FusedConv(x, w, _, _, s) {}\noutput y\n"),
              testing::HasSubstr("channel scale"));
  EXPECT_THAT(reason("input x: u8[1,3,8,8]\nconst w: f32[8,3,3,3] = seed(1)\n"
                     "y = FusedConv(x, w) {input_mean=[0.0,0.0,0.0], input_scale=[1.0,1.0,1.0]}\noutput y\n"),
              testing::HasSubstr("u8 input"));
  EXPECT_THAT(reason("input x: f32[1,4,8,8]\ninput w: f32[8,4,3,3]\ny = FusedConv(x, w) {}\noutput y\n"),
              testing::HasSubstr("weights are not constant"));
  const std::string plain = "input x: f32[1,4,8,8]\n" + weights + "y = FusedConv(x, w) {}\noutput y\n";
  EXPECT_THAT(reason(plain, detect_cpu().limited_to(Isa::kScalar)), testing::HasSubstr("AVX2"));
  if (active_cpu().best() > Isa::kAvx2) {
    EXPECT_THAT(reason(plain, detect_cpu().limited_to(Isa::kAvx2)), testing::HasSubstr("forced ISA"));
  }
}

int threads_of_this_process() {
  const auto entries = std::filesystem::directory_iterator("/proc/self/task");
  return static_cast<int>(std::distance(begin(entries), end(entries)));
}

TEST(ConvTactic, StartsNoOpenMpTeam) {
  if (!active_cpu().avx2) GTEST_SKIP() << "oneDNN is used on AVX2 and better";
  const int before = threads_of_this_process();
  TacticFixture fixture(text_of(kCases[0], "f32", 2), "onednn_conv");
  fixture.run(1);
  fixture.run(2);  // its pool has ended again
  EXPECT_EQ(threads_of_this_process(), before);
}

TEST(ConvTactic, ResidualInTheResultsPlaceNeedsNoCopy) {
  if (!active_cpu().avx2) GTEST_SKIP() << "oneDNN is used on AVX2 and better";
  const ConvCase& c = kCases[3];
  TacticFixture fixture(text_of(c, "f32", 1), "onednn_conv");
  const Tensor want = fixture.run(2);
  auto step = onednn_backend().tactics()[0].build(fixture.query(2));
  ASSERT_TRUE(step.ok());
  const Tensor x = fixture.inputs()[0].in_layout(Layout::kChannelsLast);
  Tensor result = fixture.inputs()[1].in_layout(Layout::kChannelsLast);
  ThreadPool pool({2, false, {}, 20});
  AlignedBuffer workspace((*step)->workspace_bytes(2));
  const auto state = (*step)->make_state(2);
  const void* in[] = {x.raw(), nullptr, nullptr, result.raw()};
  void* out[] = {result.raw()};
  (*step)->run({in, out, workspace.data(), pool, state.get()});
  EXPECT_TRUE(same_bytes(result.in_layout(Layout::kRowMajor), want));
}

}  // namespace
}  // namespace fovea::onednn
