// Products of f32 operands rounded to bf16 (Math::kBf16Products).
#include <algorithm>

#include "backends/onednn/tactic_fixture.h"

namespace fovea::onednn {
namespace {

struct NarrowCase {
  const char *name, *tactic, *text;
};

const NarrowCase kCases[] = {
    {"dense_3x3", "onednn_conv",
     "input x: f32[2,32,28,28]\nconst w: f32[64,32,3,3] = seed(1)\nconst b: f32[64] = seed(2)\n"
     "y = FusedConv(x, w, b) {pads=[1,1,1,1], activation=\"relu\"}\n"},
    {"residual", "onednn_conv",
     "input x: f32[1,64,14,14]\nconst w: f32[64,64,1,1] = seed(1)\nconst b: f32[64] = seed(2)\n"
     "input r: f32[1,64,14,14]\ny = FusedConv(x, w, b, r) {activation=\"relu\"}\n"},
    {"first_7x7", "onednn_conv",
     "input x: f32[1,3,30,29]\nconst w: f32[20,3,7,7] = seed(1)\n"
     "y = FusedConv(x, w) {strides=[2,2], pads=[3,3,3,3]}\n"},
    {"grouped", "onednn_conv",
     "input x: f32[1,32,16,16]\nconst w: f32[64,16,3,3] = seed(1)\ny = FusedConv(x, w) {group=2, pads=[1,1,1,1]}\n"},
    {"product", "onednn_gemm",
     "input x: f32[5,96]\nconst w: f32[96,130] = seed(1)\nconst b: f32[130] = seed(2)\n"
     "y = Gemm(x, w, b) {alpha=1.0}\n"},
};

std::string text_of(const NarrowCase& c) { return fmt::format("{}output y\n", c.text); }

class NarrowedStepTest : public testing::TestWithParam<NarrowCase> {};

// The products of two bf16 are exact in f32, so that only the order of the sums is left to differ.
TEST_P(NarrowedStepTest, RoundsTheFactorsAndNothingElse) {
  if (!active_cpu().avx512_bf16) GTEST_SKIP() << "no AVX512_BF16";
  TacticFixture fixture(text_of(GetParam()), GetParam().tactic);
  const Tensor exact = fixture.run(1);
  fixture.set_math(Math::kBf16Products);
  ASSERT_TRUE(fixture.verdict().applies) << fixture.verdict().reason;
  const Tensor narrow = fixture.run(1);
  expect_close(narrow, fixture.reference(true), 3e-5, "against rounded factors");
  const std::vector<float> a = narrow.to_floats(), b = exact.to_floats();
  double largest = 0, difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(b[i])));
    difference = std::max(difference, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  EXPECT_GT(difference, 1e-4 * largest) << "nothing was rounded";
  EXPECT_LT(difference, 1e-2 * largest);
  for (const int threads : {2, 3, 4}) EXPECT_TRUE(same_bytes(narrow, fixture.run(threads))) << "threads " << threads;
}

TEST_P(NarrowedStepTest, NothingChangesUnlessItIsAskedForAndTheCpuCan) {
  if (!active_cpu().avx2) GTEST_SKIP() << "oneDNN is used on AVX2 and better";
  TacticFixture fixture(text_of(GetParam()), GetParam().tactic);
  expect_close(fixture.run(1), fixture.reference(), 3e-5, "exact");
  CpuFeatures without = active_cpu();
  without.avx512_bf16 = false;
  TacticFixture old(text_of(GetParam()), GetParam().tactic, without);
  const double cost = old.cost_us();
  old.set_math(Math::kBf16Products);
  EXPECT_EQ(old.cost_us(), cost) << "a CPU that cannot multiply bf16 computes as before";
}

INSTANTIATE_TEST_SUITE_P(Shapes, NarrowedStepTest, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

TEST(NarrowedStep, DepthwiseStaysExact) {
  if (!active_cpu().avx512_bf16) GTEST_SKIP() << "no AVX512_BF16";
  TacticFixture fixture(
      "input x: f32[1,32,15,17]\nconst w: f32[32,1,3,3] = seed(1)\n"
      "y = FusedConv(x, w) {group=32, pads=[1,1,1,1]}\noutput y\n",
      "onednn_conv");
  const Tensor exact = fixture.run(2);
  fixture.set_math(Math::kBf16Products);
  EXPECT_TRUE(same_bytes(exact, fixture.run(2)));
}

TEST(NarrowedStep, TilesMakeItCheaper) {
  CpuFeatures vectors = active_cpu();
  if (!vectors.avx512_bf16) GTEST_SKIP() << "no AVX512_BF16";
  vectors.amx_bf16 = false;
  CpuFeatures tiles = vectors;
  tiles.amx_bf16 = true;
  // Many products a byte, so that these are what is counted.
  const std::string text =
      "input x: f32[1,256,56,56]\nconst w: f32[256,256,3,3] = seed(1)\n"
      "y = FusedConv(x, w) {pads=[1,1,1,1]}\noutput y\n";
  TacticFixture slow(text, "onednn_conv", vectors), fast(text, "onednn_conv", tiles);
  EXPECT_EQ(slow.cost_us(), fast.cost_us()) << "f32 is not multiplied in tiles";
  slow.set_math(Math::kBf16Products);
  fast.set_math(Math::kBf16Products);
  EXPECT_LT(fast.cost_us(), slow.cost_us() / 3);
}

}  // namespace
}  // namespace fovea::onednn
