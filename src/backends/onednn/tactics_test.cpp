// Matrix products, pools, element-wise steps, soft-max and conversions.
#include "backends/onednn/tactic_fixture.h"

namespace fovea::onednn {
namespace {

struct TacticCase {
  const char* name;
  const char* tactic;
  const char* text;  // "T" stands for the element type
  double f32_tolerance = 1e-5;
  bool only_f32 = false;
};

const TacticCase kCases[] = {
    {"gemm", "onednn_gemm",
     "input a: T[3,70]\nconst b: T[70,33] = seed(1)\nconst c: T[33] = seed(2)\ny = Gemm(a, b, c) {}\noutput y\n"},
    {"gemm_one_row_transposed", "onednn_gemm",
     "input a: T[1,512]\nconst b: T[1001,512] = seed(1)\nconst c: T[1001] = seed(2)\n"
     "y = Gemm(a, b, c) {transB=1}\noutput y\n"},
    {"gemm_few_rows_transposed", "onednn_gemm",
     "input a: T[5,256]\nconst b: T[1000,256] = seed(1)\ny = Gemm(a, b) {transB=1}\noutput y\n"},
    {"gemm_many_rows", "onednn_gemm",
     "input a: T[64,96]\nconst b: T[96,80] = seed(1)\nconst c: T[1,80] = seed(2)\ny = Gemm(a, b, c) {}\noutput y\n"},
    {"gemm_scaled", "onednn_gemm",
     "input a: T[2,24]\nconst b: T[24,10] = seed(1)\nconst c: T[1] = {1.5}\n"
     "y = Gemm(a, b, c) {alpha=0.5, beta=2.0}\noutput y\n",
     1e-5, true},
    {"matmul_constant", "onednn_gemm",
     "input a: T[2,9,48]\nconst b: T[48,40] = seed(1)\ny = MatMul(a, b) {}\noutput y\n"},
    {"matmul_batched", "onednn_matmul_batched",
     "input a: T[2,3,17,33]\ninput b: T[2,3,33,9]\ny = MatMul(a, b) {}\noutput y\n", 5e-5},
    {"matmul_shared_right", "onednn_matmul_batched",
     "input a: T[3,40,16]\ninput b: T[16,24]\ny = MatMul(a, b) {}\noutput y\n", 5e-5},
    {"max_pool", "onednn_pool",
     "input x: T[2,24,57,56]\ny = MaxPool(x) {kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]}\noutput y\n"},
    {"max_pool_ceil", "onednn_pool",
     "input x: T[1,17,56,55]\ny = MaxPool(x) {kernel_shape=[3,3], strides=[2,2], ceil_mode=1}\noutput y\n"},
    {"max_pool_same", "onednn_pool",
     "input x: T[1,8,13,13]\ny = MaxPool(x) {kernel_shape=[2,2], auto_pad=\"SAME_UPPER\"}\noutput y\n"},
    {"average_pool", "onednn_pool",
     "input x: T[2,20,29,28]\ny = AveragePool(x) {kernel_shape=[3,3], strides=[2,2], pads=[1,1,1,1]}\noutput y\n"},
    {"average_pool_counting_pads", "onednn_pool",
     "input x: T[1,20,28,28]\n"
     "y = AveragePool(x) {kernel_shape=[3,3], pads=[1,1,1,1], count_include_pad=1}\noutput y\n"},
    {"global_average_pool", "onednn_pool", "input x: T[3,130,7,7]\ny = GlobalAveragePool(x) {}\noutput y\n"},
    {"global_average_pool_large", "onednn_pool", "input x: T[1,24,64,64]\ny = GlobalAveragePool(x) {}\noutput y\n"},
    {"global_max_pool", "onednn_pool", "input x: T[2,33,9,5]\ny = GlobalMaxPool(x) {}\noutput y\n"},
    {"add_same", "onednn_binary", "input a: T[2,33,29,31]\ninput b: T[2,33,29,31]\ny = Add(a, b) {}\noutput y\n"},
    {"mul_channel_of_each_image", "onednn_binary",
     "input a: T[3,72,28,28]\ninput b: T[3,72,1,1]\ny = Mul(a, b) {}\noutput y\n"},
    {"mul_spread_left", "onednn_binary", "input a: T[2,20,1,1]\ninput b: T[2,20,13,13]\ny = Mul(a, b) {}\noutput y\n"},
    {"add_channel_constant", "onednn_binary",
     "input a: T[2,40,30,30]\nconst b: T[1,40,1,1] = seed(3)\ny = Add(a, b) {}\noutput y\n"},
    {"add_channel_constant_rank_3", "onednn_binary",
     "input a: T[1,40,9,9]\nconst b: T[40,1,1] = seed(3)\ny = Add(a, b) {}\noutput y\n"},
    {"add_row_constant", "onednn_binary", "input a: T[5,40]\nconst b: T[40] = seed(3)\ny = Add(a, b) {}\noutput y\n"},
    {"mul_scalar", "onednn_binary", "input a: T[1,16,40,40]\nconst b: T[1] = {0.25}\ny = Mul(a, b) {}\noutput y\n"},
    {"sub_same", "onednn_binary", "input a: T[7,13]\ninput b: T[7,13]\ny = Sub(a, b) {}\noutput y\n"},
    {"div_scalar", "onednn_binary", "input a: T[1,4,5,5]\nconst b: T[1] = {4.0}\ny = Div(a, b) {}\noutput y\n"},
    {"max_same", "onednn_binary", "input a: T[1,4,5,5]\ninput b: T[1,4,5,5]\ny = Max(a, b) {}\noutput y\n"},
    {"min_scalar", "onednn_binary", "input a: T[1,4,5,5]\nconst b: T[1] = {0.5}\ny = Min(a, b) {}\noutput y\n"},
    {"relu", "onednn_eltwise", "input x: T[1,37,31,33]\ny = Relu(x) {}\noutput y\n"},
    {"clip", "onednn_eltwise",
     "input x: T[1,16,33,33]\nconst l: T[] = {-0.5}\nconst h: T[] = {0.75}\ny = Clip(x, l, h) {}\noutput y\n"},
    {"clip_below", "onednn_eltwise", "input x: T[9]\nconst l: T[] = {-0.5}\ny = Clip(x, l) {}\noutput y\n"},
    {"leaky_relu", "onednn_eltwise", "input x: T[2,5,7,7]\ny = LeakyRelu(x) {alpha=0.1}\noutput y\n"},
    {"elu", "onednn_eltwise", "input x: T[2,5,7,7]\ny = Elu(x) {alpha=0.5}\noutput y\n", 1e-4},
    {"sigmoid", "onednn_eltwise", "input x: T[1,16,40,41]\ny = Sigmoid(x) {}\noutput y\n"},
    {"hard_swish", "onednn_eltwise", "input x: T[1,16,40,40]\ny = HardSwish(x) {}\noutput y\n"},
    {"tanh", "onednn_eltwise", "input x: T[3,77]\ny = Tanh(x) {}\noutput y\n"},
    {"exp", "onednn_eltwise", "input x: T[3,77]\ny = Exp(x) {}\noutput y\n"},
    {"abs", "onednn_eltwise", "input x: T[3,77]\ny = Abs(x) {}\noutput y\n"},
    {"softmax", "onednn_softmax", "input x: T[3,1001]\ny = Softmax(x) {axis=1}\noutput y\n"},
    {"softmax_last", "onednn_softmax", "input x: T[2,4,9,21]\ny = Softmax(x) {axis=-1}\noutput y\n"},
    {"softmax_channels", "onednn_softmax", "input x: T[2,21,33,32]\ny = Softmax(x) {axis=1}\noutput y\n"},
    {"softmax_channels_of_one_pixel", "onednn_softmax", "input x: T[2,10,1,1]\ny = Softmax(x) {axis=1}\noutput y\n"},
    {"cast_to_bf16", "onednn_cast", "input x: f32[2,33,17,19]\ny = Cast(x) {to=16}\noutput y\n", 0, true},
    {"cast_to_f32", "onednn_cast", "input x: bf16[2,33,17,19]\ny = Cast(x) {to=1}\noutput y\n", 0, true},
};

std::string with_type(std::string text, std::string_view dtype) {
  for (std::size_t at; (at = text.find(" T[")) != std::string::npos;) text.replace(at + 1, 1, dtype);
  return text;
}

class TacticTest : public testing::TestWithParam<TacticCase> {};

TEST_P(TacticTest, EqualsReferenceAndItselfOnEveryTeam) {
  const TacticCase& c = GetParam();
  if (!active_cpu().avx2) GTEST_SKIP() << "oneDNN is used on AVX2 and better";
  if (!active_cpu().avx512_bf16 && std::string_view(c.tactic) == "onednn_cast") GTEST_SKIP() << "needs AVX-512 BF16";
  for (const std::string_view dtype : {"f32", "bf16"}) {
    if (dtype == "bf16" && (c.only_f32 || !active_cpu().avx512_bf16)) continue;
    const std::string what = fmt::format("{} {}", c.name, dtype);
    TacticFixture fixture(with_type(c.text, dtype), c.tactic);
    ASSERT_TRUE(fixture.verdict().applies) << what << ": " << fixture.verdict().reason;
    const Tensor alone = fixture.run(1);
    expect_close(alone, fixture.reference(), dtype == "bf16" ? 1.0 / 128 : c.f32_tolerance, what);
    for (int threads : {2, 3}) EXPECT_TRUE(same_bytes(alone, fixture.run(threads))) << what << " threads " << threads;
    EXPECT_TRUE(same_bytes(alone, fixture.run(2, 1))) << what << " planned for one thread, run by two";
  }
}

INSTANTIATE_TEST_SUITE_P(Operators, TacticTest, testing::ValuesIn(kCases),
                         [](const auto& info) { return info.param.name; });

TEST(GemmTactic, RowsDoNotDependOnTheBatch) {
  if (!active_cpu().avx2) GTEST_SKIP() << "oneDNN is used on AVX2 and better";
  const auto text = [](int rows) {
    return fmt::format(
        "input a: f32[{},300]\nconst b: f32[1001,300] = seed(1)\n"
        "y = Gemm(a, b) {{transB=1}}\noutput y\n",
        rows);
  };
  TacticFixture one(text(1), "onednn_gemm");
  const Tensor want = one.run(1);
  for (int rows : {2, 8, 13, 64}) {
    TacticFixture many(text(rows), "onednn_gemm");
    std::memcpy(many.inputs()[0].raw(), one.inputs()[0].raw(), one.inputs()[0].bytes());
    for (int threads : {1, 2})
      EXPECT_EQ(std::memcmp(many.run(threads).raw(), want.raw(), want.bytes()), 0) << rows << " rows, " << threads;
  }
}

TEST(PoolTactic, RefusesWhatOnednnCannotDo) {
  if (!active_cpu().avx2) GTEST_SKIP() << "oneDNN is used on AVX2 and better";
  const auto reason = [](const std::string& text) { return TacticFixture(text, "onednn_pool").verdict().reason; };
  EXPECT_THAT(reason("input x: f32[1,8,6,6]\ny = AveragePool(x) {kernel_shape=[3,3], strides=[2,2], ceil_mode=1, "
                     "count_include_pad=1}\noutput y\n"),
              testing::HasSubstr("ceil_mode"));
  EXPECT_THAT(reason("input x: f32[1,16,20,20]\ny = MaxPool(x) {kernel_shape=[2,2], dilations=[2,2]}\noutput y\n"),
              testing::HasSubstr("reference loops"));
  EXPECT_THAT(reason("input x: f32[1,16,20]\ny = MaxPool(x) {kernel_shape=[2]}\noutput y\n"),
              testing::HasSubstr("two-dimensional"));
}

}  // namespace
}  // namespace fovea::onednn
