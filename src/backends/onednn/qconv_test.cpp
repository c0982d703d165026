// The tactic onednn_qconv against the reference evaluation, and against itself on every team.
#include "backends/onednn/tactic_fixture.h"

namespace fovea::onednn {
namespace {

struct QConvCase {
  const char* name;
  const char* input;
  const char* text;  // constants and the node
};

const QConvCase kCases[] = {
    {"dense_3x3", "u8[1,16,14,14]",
     "const w: s8[40,16,3,3] = seed(1)\nconst m: f32[40] = splat(0.0007)\nconst b: f32[40] = seed(2)\n"
     "y = FusedQConv(x, w, m, b) {pads=[1,1,1,1], x_zero_point=128, activation=\"relu\", y_scale=0.09}\n"},
    {"stride_2_zero_points", "u8[1,24,25,23]",
     "const w: s8[48,24,3,3] = seed(1)\nconst m: f32[48] = splat(0.0007)\nconst b: f32[48] = seed(2)\n"
     "y = FusedQConv(x, w, m, b) {pads=[1,1,1,1], strides=[2,2], x_zero_point=77, y_scale=0.2, y_zero_point=120}\n"},
    {"pointwise", "u8[1,64,13,11]",
     "const w: s8[96,64,1,1] = seed(1)\nconst m: f32[96] = splat(0.001)\n"
     "y = FusedQConv(x, w, m) {x_zero_point=3, activation=\"clip\", activation_params=[0.0, 6.0], y_scale=0.0235}\n"},
    {"pointwise_residual", "u8[1,64,14,14]",
     "const w: s8[64,64,1,1] = seed(1)\nconst m: f32[64] = splat(0.001)\nconst b: f32[64] = seed(2)\n"
     "y = FusedQConv(x, w, m, b, _, x) {x_zero_point=128, activation=\"relu\", y_scale=0.1, residual_scale=0.05, "
     "residual_zero_point=128}\n"},
    {"few_rows", "u8[1,32,7,7]",
     "const w: s8[160,32,3,3] = seed(1)\nconst m: f32[160] = splat(0.0007)\nconst b: f32[160] = seed(2)\n"
     "y = FusedQConv(x, w, m, b) {pads=[1,1,1,1], x_zero_point=128, activation=\"hard_swish\", y_scale=0.1, "
     "y_zero_point=11}\n"},
    {"real_result", "u8[1,64,1,1]",
     "const w: s8[100,64,1,1] = seed(1)\nconst m: f32[100] = splat(0.001)\nconst b: f32[100] = seed(2)\n"
     "y = FusedQConv(x, w, m, b) {x_zero_point=100}\n"},
    {"depthwise", "u8[1,32,15,17]",
     "const w: s8[32,1,3,3] = seed(1)\nconst m: f32[32] = splat(0.004)\nconst b: f32[32] = seed(2)\n"
     "y = FusedQConv(x, w, m, b) {group=32, pads=[1,1,1,1], x_zero_point=128, y_scale=0.1, y_zero_point=128}\n"},
};

std::string text_of(const QConvCase& c) { return fmt::format("input x: {}\n{}output y\n", c.input, c.text); }

class QConvTest : public testing::TestWithParam<QConvCase> {};

TEST_P(QConvTest, IsWithinOneOfTheReferenceAndTheSameOnEveryTeam) {
  if (!active_cpu().avx512_vnni) GTEST_SKIP() << "oneDNN multiplies bytes on AVX-512 VNNI and better";
  TacticFixture fixture(text_of(GetParam()), "onednn_qconv");
  ASSERT_TRUE(fixture.verdict().applies) << fixture.verdict().reason;
  Rng rng(5);
  for (auto& byte : fixture.inputs()[0].as<std::uint8_t>()) byte = static_cast<std::uint8_t>(rng.below(256));
  const Tensor alone = fixture.run(1);
  const std::vector<float> got = alone.to_floats(), want = fixture.reference().to_floats();
  ASSERT_EQ(got.size(), want.size());
  const bool bytes = alone.dtype() == DType::kU8;
  std::size_t differing = 0;
  for (std::size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], want[i], bytes ? 1.0f : 1e-4f) << "element " << i;
    differing += got[i] != want[i];
  }
  if (bytes) {
    EXPECT_LE(differing, 1 + got.size() / 1000) << "of " << got.size() << " bytes differ by one";
  }
  for (const int threads : {2, 3}) EXPECT_TRUE(same_bytes(alone, fixture.run(threads))) << "threads " << threads;
}

INSTANTIATE_TEST_SUITE_P(Shapes, QConvTest, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

TEST(QConvTactic, RefusesWhatOnednnCannotDo) {
  if (!active_cpu().avx512_vnni) GTEST_SKIP() << "oneDNN multiplies bytes on AVX-512 VNNI and better";
  const auto reason = [](const std::string& node, const CpuFeatures& cpu = active_cpu()) {
    return TacticFixture(
               "input x: u8[1,8,6,6]\nconst w: s8[8,8,1,1] = seed(1)\nconst m: f32[8] = splat(0.001)\n"
               "const d: s32[8] = splat(3)\nconst z: f32[8] = splat(0.0)\n" +
                   node + "output y\n",
               "onednn_qconv", cpu)
        .verdict()
        .reason;
  };
  const std::string plain = "y = FusedQConv(x, w, m) {y_scale=0.1}\n";
  EXPECT_EQ(reason(plain), "");
  EXPECT_THAT(reason(plain, detect_cpu().limited_to(Isa::kAvx512)), testing::HasSubstr("no AVX-512 VNNI"));
  EXPECT_THAT(reason("y = FusedQConv(x, w, m, _, d) {y_scale=0.1}\n"), testing::HasSubstr("zero point"));
  EXPECT_THAT(reason("y = FusedQConv(x, w, z) {y_scale=0.1}\n"), testing::HasSubstr("multiplier of 0"));
  EXPECT_THAT(reason("y = FusedQConv(x, w, m, _, _, x) {residual_scale=0.1}\n"), testing::HasSubstr("f32 result"));
  EXPECT_THAT(reason("y = FusedQConv(x, w, m, _, _, x) {y_scale=0.1, residual_scale=0.1, middle_scale=0.1}\n"),
              testing::HasSubstr("twice"));
}

}  // namespace
}  // namespace fovea::onednn
