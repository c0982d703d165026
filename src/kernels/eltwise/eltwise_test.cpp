#include "kernels/eltwise/eltwise.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <type_traits>
#include <vector>

#include "base/bf16.h"
#include "base/cpu_features.h"
#include "kernels/guarded_buffer.h"

namespace fovea::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr double kUlp = 0x1p-23;  // of numbers in [1, 2); half of it is the error of one rounding

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

double activate(const Epilogue& e, double x) {
  if (std::isnan(x)) return x;
  switch (e.kind) {
    case EpilogueKind::kNone:
      return x;
    case EpilogueKind::kClip:
      return std::fmax(e.a, std::fmin(e.b, x));
    case EpilogueKind::kLeakyRelu:
      return x < 0 ? double{e.a} * x : x;
    case EpilogueKind::kSigmoid:
      return sigmoid(x);
    case EpilogueKind::kHardSigmoid:
      return std::fmax(0, std::fmin(1, double{e.a} * x + e.b));
    case EpilogueKind::kHardSwish:
      return x * std::fmax(0, std::fmin(1, x / 6 + 0.5));
    case EpilogueKind::kSilu:
      return x / (1 + std::exp(-x));
    case EpilogueKind::kTanh:
      return std::tanh(x);
  }
  return x;
}

double binary(BinaryOp op, double a, double b) {
  switch (op) {
    case BinaryOp::kAdd:
      return a + b;
    case BinaryOp::kSub:
      return a - b;
    case BinaryOp::kMul:
      return a * b;
    case BinaryOp::kDiv:
      return a / b;
    case BinaryOp::kMin:
      return std::isnan(a) || std::isnan(b) ? NAN : std::fmin(a, b);
    case BinaryOp::kMax:
      return std::isnan(a) || std::isnan(b) ? NAN : std::fmax(a, b);
    case BinaryOp::kReverseSub:
      return b - a;
    case BinaryOp::kReverseDiv:
      return b / a;
    case BinaryOp::kPrelu:
      return a < 0 ? a * b : a;
  }
  return 0;
}

double unary(UnaryOp op, const Epilogue& e, double x) {
  switch (op) {
    case UnaryOp::kActivation:
      return activate(e, x);
    case UnaryOp::kExp:
      return std::exp(x);
    case UnaryOp::kLog:
      return std::log(x);
    case UnaryOp::kSqrt:
      return std::sqrt(x);
    case UnaryOp::kReciprocal:
      return 1 / x;
    case UnaryOp::kAbs:
      return std::fabs(x);
    case UnaryOp::kNeg:
      return -x;
    case UnaryOp::kFloor:
      return std::floor(x);
    case UnaryOp::kCeil:
      return std::ceil(x);
    case UnaryOp::kRound:
      return std::nearbyint(x);
    case UnaryOp::kErf:
      return std::erf(x);
    case UnaryOp::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case UnaryOp::kElu:
      return x < 0 ? e.a * std::expm1(x) : x;
    case UnaryOp::kSoftplus:
      return std::fmax(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
  }
  return 0;
}

std::int64_t operand_index(const Broadcast& how, std::int64_t i) {
  switch (how.kind) {
    case Operand::kSame:
      return i;
    case Operand::kScalar:
      return 0;
    case Operand::kInner:
      return i / how.block * how.inner + i % how.inner;
    case Operand::kOuter:
      return i / how.inner % how.outer;
  }
  return 0;
}

// fp32 and bfloat16 storage behind one interface.
float get(const float* p, std::int64_t i) { return p[i]; }
float get(const std::uint16_t* p, std::int64_t i) {
  Bf16 value;
  value.bits = p[i];
  return static_cast<float>(value);
}
void put(float* p, std::int64_t i, float v) { p[i] = v; }
void put(std::uint16_t* p, std::int64_t i, float v) { p[i] = Bf16(v).bits; }

template <class T>
void fill(GuardedBuffer<T>& buffer, unsigned seed, float lo = -3, float hi = 3) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(lo, hi);
  for (std::size_t i = 0; i < buffer.size(); ++i) put(buffer.data(), static_cast<std::int64_t>(i), uniform(random));
}

template <class T>
double rounding() {
  return std::is_same_v<T, float> ? 0.5 * kUlp : 0x1p-8;
}

class Eltwise : public testing::TestWithParam<EltwiseKernels> {
 protected:
  void SetUp() override {
    if (!detect_cpu().has(GetParam().isa)) GTEST_SKIP() << "this CPU lacks " << isa_name(GetParam().isa);
  }

  template <class T>
  void check_binary(BinaryOp op, const Broadcast& how, std::int64_t count, std::int64_t operand_count,
                    const Epilogue& epilogue = {}) {
    SCOPED_TRACE(testing::Message() << "op " << static_cast<int>(op) << ", operand " << static_cast<int>(how.kind)
                                    << ", inner " << how.inner << ", block " << how.block << ", " << count
                                    << " elements of " << sizeof(T) << " bytes");
    GuardedBuffer<T> a(count), b(operand_count), y(count), split(count);
    fill(a, 1);
    fill(b, 2, 0.5f, 3);
    const auto function = sizeof(T) == 4 ? GetParam().binary_f32 : GetParam().binary_bf16;
    BinaryArgs args{op, how, epilogue, a.data(), b.data(), y.data()};
    function(args, 0, count);
    for (std::int64_t i = 0; i < count; ++i) {
      const double e = activate(epilogue, binary(op, get(a.data(), i), get(b.data(), operand_index(how, i))));
      ASSERT_NEAR(get(y.data(), i), e, (rounding<T>() + 4 * kUlp) * (std::fabs(e) + 1)) << "element " << i;
    }
    args.y = split.data();
    for (std::int64_t i = 0; i < count; i += 13) function(args, i, std::min(i + 13, count));
    ASSERT_EQ(std::memcmp(y.data(), split.data(), count * sizeof(T)), 0) << "split";
    args.a = split.data();
    std::memcpy(split.data(), a.data(), count * sizeof(T));
    function(args, 0, count);
    ASSERT_EQ(std::memcmp(y.data(), split.data(), count * sizeof(T)), 0) << "in place";
  }
};

TEST_P(Eltwise, BinaryOfEveryLength) {
  for (const BinaryOp op : {BinaryOp::kAdd, BinaryOp::kSub, BinaryOp::kMul, BinaryOp::kDiv, BinaryOp::kMin,
                            BinaryOp::kMax, BinaryOp::kReverseSub, BinaryOp::kReverseDiv, BinaryOp::kPrelu})
    for (const int count : {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100}) {
      check_binary<float>(op, {Operand::kSame}, count, count);
      check_binary<std::uint16_t>(op, {Operand::kSame}, count, count);
    }
}

TEST_P(Eltwise, BinaryBroadcasts) {
  check_binary<float>(BinaryOp::kMul, {Operand::kScalar}, 77, 1);
  for (const int channels : {1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 24, 31, 33, 63, 64, 65, 100}) {
    const std::int64_t pixels = 150, count = channels * pixels;
    check_binary<float>(BinaryOp::kAdd, {Operand::kInner, channels}, count, channels);
    check_binary<std::uint16_t>(BinaryOp::kMul, {Operand::kInner, channels}, count, channels);
    // Three images of 50 pixels with scales of their own.
    check_binary<float>(BinaryOp::kMul, {Operand::kInner, channels, 1, 50 * channels}, count, 3 * channels);
    check_binary<float>(BinaryOp::kAdd, {Operand::kOuter, 25, 3}, 25 * 6, 3);
    check_binary<float>(BinaryOp::kReverseDiv, {Operand::kOuter, channels, 6}, channels * 6, 6);
  }
}

TEST_P(Eltwise, BinaryEpilogues) {
  for (const Epilogue& e : {Epilogue{EpilogueKind::kClip, 0, kInf}, Epilogue{EpilogueKind::kClip, -1, 1},
                            Epilogue{EpilogueKind::kLeakyRelu, 0.1f}, Epilogue{EpilogueKind::kSigmoid},
                            Epilogue{EpilogueKind::kHardSigmoid, 0.2f, 0.5f}, Epilogue{EpilogueKind::kHardSwish},
                            Epilogue{EpilogueKind::kSilu}, Epilogue{EpilogueKind::kTanh}}) {
    check_binary<float>(BinaryOp::kAdd, {Operand::kSame}, 53, 53, e);
    check_binary<std::uint16_t>(BinaryOp::kAdd, {Operand::kInner, 9}, 9 * 30, 9, e);
  }
}

TEST_P(Eltwise, ScaleShift) {
  for (const int channels : {1, 3, 8, 16, 17, 65})
    for (const bool planes : {false, true}) {
      const std::int64_t count = channels * 130;
      const Broadcast how = planes ? Broadcast{Operand::kOuter, 130, channels} : Broadcast{Operand::kInner, channels};
      GuardedBuffer<float> x(count), y(count), scale(channels), shift(channels);
      GuardedBuffer<std::uint16_t> x16(count), y16(count);
      fill(x, 1);
      fill(x16, 1);
      fill(scale, 2);
      fill(shift, 3);
      const Epilogue relu{EpilogueKind::kClip, 0, kInf};
      GetParam().scale_shift_f32({how, relu, x.data(), scale.data(), shift.data(), y.data()}, 0, count);
      GetParam().scale_shift_bf16({how, relu, x16.data(), scale.data(), shift.data(), y16.data()}, 0, count);
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t k = operand_index(how, i);
        const double e = std::fmax(0, double{x[i]} * scale[k] + shift[k]);
        ASSERT_NEAR(y[i], e, kUlp * 10) << channels << " channels, element " << i;
        const double e16 = std::fmax(0, double{get(x16.data(), i)} * scale[k] + shift[k]);
        ASSERT_NEAR(get(y16.data(), i), e16, 0x1p-8 * (e16 + 0.01)) << channels << " channels, element " << i;
      }
    }
}

// The stated errors of kernels/vector_math.h, over floats of all magnitudes.
TEST_P(Eltwise, UnaryErrors) {
  struct Case {
    UnaryOp op;
    Epilogue epilogue;
    double ulps;      // of the result, where not 0
    double absolute;  // relative to max(1, |y|), where ulps is 0
    float lo = -kInf, hi = kInf;
  };
  const Case cases[] = {{UnaryOp::kExp, {}, 1.0, 0},
                        {UnaryOp::kLog, {}, 1.0, 0},
                        {UnaryOp::kErf, {}, 1.0, 0},
                        {UnaryOp::kActivation, {EpilogueKind::kTanh}, 1.5, 0},
                        {UnaryOp::kActivation, {EpilogueKind::kSigmoid}, 2.5, 0, -87},
                        {UnaryOp::kActivation, {EpilogueKind::kSilu}, 2.5, 0, -87, 87},
                        {UnaryOp::kActivation, {EpilogueKind::kHardSwish}, 0, 2e-7},
                        {UnaryOp::kActivation, {EpilogueKind::kHardSigmoid, 0.2f, 0.5f}, 0, 1e-7},
                        {UnaryOp::kActivation, {EpilogueKind::kLeakyRelu, 0.01f}, 0.501, 0},
                        {UnaryOp::kActivation, {EpilogueKind::kClip, -1, 6}, 0.501, 0},
                        {UnaryOp::kActivation, {}, 0.501, 0},
                        {UnaryOp::kGelu, {}, 0, 2e-7},
                        {UnaryOp::kElu, {EpilogueKind::kNone, 0.7f}, 0, 2e-7},
                        {UnaryOp::kSoftplus, {}, 0, 2e-7},
                        {UnaryOp::kSqrt, {}, 0.501, 0},
                        {UnaryOp::kReciprocal, {}, 0.501, 0},
                        {UnaryOp::kAbs, {}, 0.501, 0},
                        {UnaryOp::kNeg, {}, 0.501, 0},
                        {UnaryOp::kFloor, {}, 0.501, 0},
                        {UnaryOp::kCeil, {}, 0.501, 0},
                        {UnaryOp::kRound, {}, 0.501, 0}};
  constexpr std::int64_t kCount = 1 << 17;
  std::vector<float> x(kCount), y(kCount);
  for (std::int64_t i = 0; i < kCount; ++i)
    x[i] = std::bit_cast<float>(static_cast<std::uint32_t>(i * 32749));  // all exponents, NaN and infinities too
  for (const Case& c : cases) {
    GetParam().unary_f32({c.op, c.epilogue, x.data(), y.data()}, 0, kCount);
    for (std::int64_t i = 0; i < kCount; ++i) {
      if (x[i] < c.lo || x[i] > c.hi) continue;
      const double e = unary(c.op, c.epilogue, x[i]);
      if (std::isnan(e)) {
        ASSERT_TRUE(std::isnan(y[i])) << "op " << static_cast<int>(c.op) << " of " << x[i] << " is " << y[i];
        continue;
      }
      if (std::isinf(static_cast<float>(e))) {
        ASSERT_EQ(y[i], static_cast<float>(e)) << "op " << static_cast<int>(c.op) << " of " << x[i];
        continue;
      }
      const double ulp = std::ldexp(1.0, std::max(-149, e == 0 ? -149 : std::ilogb(e) - 23));
      const double tolerance = c.ulps > 0 ? c.ulps * ulp : c.absolute * std::max(1.0, std::fabs(e));
      ASSERT_NEAR(y[i], e, tolerance) << "op " << static_cast<int>(c.op) << ", activation "
                                      << static_cast<int>(c.epilogue.kind) << " of " << x[i];
    }
  }
}

TEST_P(Eltwise, UnaryOfEveryLengthAndType) {
  for (int count = 1; count <= 40; ++count) {
    GuardedBuffer<float> x(count), y(count);
    GuardedBuffer<std::uint16_t> x16(count), y16(count);
    fill(x, count);
    fill(x16, count);
    GetParam().unary_f32({UnaryOp::kActivation, {EpilogueKind::kSilu}, x.data(), y.data()}, 0, count);
    GetParam().unary_bf16({UnaryOp::kActivation, {EpilogueKind::kSilu}, x16.data(), y16.data()}, 0, count);
    for (int i = 0; i < count; ++i) {
      ASSERT_NEAR(y[i], activate({EpilogueKind::kSilu}, x[i]), 1e-6);
      const double e = activate({EpilogueKind::kSilu}, get(x16.data(), i));
      ASSERT_NEAR(get(y16.data(), i), e, 0x1p-8 * std::fabs(e) + 1e-6);
    }
  }
}

TEST_P(Eltwise, SpecialValues) {
  const float nan = std::nanf("");
  std::vector<float> x(37, nan), y(37);
  for (int kind = 0; kind <= static_cast<int>(EpilogueKind::kTanh); ++kind) {
    GetParam().unary_f32({UnaryOp::kActivation, {static_cast<EpilogueKind>(kind), 0, 1}, x.data(), y.data()}, 0, 37);
    for (const float v : y) ASSERT_TRUE(std::isnan(v)) << "activation " << kind;
  }
  std::vector<float> one(37, 1.0f);
  for (const BinaryOp op : {BinaryOp::kMin, BinaryOp::kMax, BinaryOp::kAdd, BinaryOp::kPrelu}) {
    GetParam().binary_f32({op, {}, {}, x.data(), one.data(), y.data()}, 0, 37);
    for (const float v : y) ASSERT_TRUE(std::isnan(v)) << "op " << static_cast<int>(op);
    if (op == BinaryOp::kPrelu) continue;
    GetParam().binary_f32({op, {}, {}, one.data(), x.data(), y.data()}, 0, 37);
    for (const float v : y) ASSERT_TRUE(std::isnan(v)) << "op " << static_cast<int>(op) << ", right operand";
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, Eltwise, testing::ValuesIn(eltwise_kernels().begin(), eltwise_kernels().end()),
                         [](const auto& info) { return std::string(info.param.name); });

// AVX2 and AVX-512 give the same bits for everything; the scalar row too where no step is fused.
TEST(EltwiseList, RowsAgreeBitForBit) {
  const CpuFeatures cpu = detect_cpu();
  if (!cpu.avx2) GTEST_SKIP() << "this CPU has no vector rows";
  constexpr std::int64_t kCount = 1 << 14;
  std::vector<float> x(kCount);
  for (std::int64_t i = 0; i < kCount; ++i) {
    x[i] = std::bit_cast<float>(static_cast<std::uint32_t>(i * 262139));
    if (std::isnan(x[i])) x[i] = 0.5f;  // payloads are unspecified
  }
  const auto run = [&](const EltwiseKernels& row, UnaryOp op, EpilogueKind kind) {
    std::vector<float> y(kCount);
    row.unary_f32({op, {kind, -1.5f, 2.5f}, x.data(), y.data()}, 0, kCount);
    for (float& v : y)
      if (std::isnan(v)) v = 0;
    return y;
  };
  const auto rows = eltwise_kernels();
  const auto avx2 = std::find_if(rows.begin(), rows.end(), [](const auto& r) { return r.isa == Isa::kAvx2; });
  ASSERT_NE(avx2, rows.end());
  for (int op = 0; op <= static_cast<int>(UnaryOp::kSoftplus); ++op)
    for (int kind = 0; kind <= (op == 0 ? static_cast<int>(EpilogueKind::kTanh) : 0); ++kind) {
      const auto expected = run(*avx2, static_cast<UnaryOp>(op), static_cast<EpilogueKind>(kind));
      for (const EltwiseKernels& row : rows) {
        const bool unfused = (op >= static_cast<int>(UnaryOp::kSqrt) && op <= static_cast<int>(UnaryOp::kRound)) ||
                             (op == 0 && kind <= static_cast<int>(EpilogueKind::kLeakyRelu));
        if (!cpu.has(row.isa) || (row.isa == Isa::kScalar && !unfused)) continue;
        const auto y = run(row, static_cast<UnaryOp>(op), static_cast<EpilogueKind>(kind));
        EXPECT_EQ(std::memcmp(y.data(), expected.data(), kCount * sizeof(float)), 0)
            << row.name << " op " << op << " activation " << kind;
      }
    }
}

TEST(EltwiseList, Selects) {
  CpuFeatures cpu;
  EXPECT_STREQ(select_eltwise(cpu).name, "eltwise_scalar");
  cpu.avx2 = true;
  EXPECT_STREQ(select_eltwise(cpu).name, "eltwise_avx2");
  cpu.avx512 = true;
  EXPECT_STREQ(select_eltwise(cpu).name, "eltwise_avx512");
}

}  // namespace
}  // namespace fovea::kernels
