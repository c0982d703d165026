// Every row of kernels.inc against plain double arithmetic and against the scalar twin, bit for bit.
#include "kernels/dwconv_u8/dwconv_u8.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/cpu_features.h"
#include "kernels/guarded_buffer.h"
#include "kernels/vector_math_scalar.h"

namespace fovea::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

// What the bytes of a test are drawn from.
enum class Values { kAny, kLowest, kHighest, kEnds };

struct Problem {
  DwConvU8Shape shape;
  int gap = 0;  // bytes between the channels of neighbouring pixels
  int x_zero_point = 128;
  int weight_low = -128, weight_high = 127;  // of w + offset
  Values values = Values::kAny;
  bool with_residual = false;
  bool real_result = false;
  Requantise requantise = {};

  std::int64_t pixel() const { return shape.channels + gap; }
  std::size_t size(int h, int w) const {
    return static_cast<std::size_t>((std::int64_t{h} * w - 1) * pixel() + shape.channels);
  }
  std::size_t x_size() const { return size(shape.in_h, shape.in_w); }
  std::size_t y_size() const { return size(shape.out_h, shape.out_w); }
};

int draw(std::mt19937& random, Values values, int low, int high) {
  if (values == Values::kLowest) return low;
  if (values == Values::kHighest) return high;
  if (values == Values::kEnds) return random() % 2 ? low : high;
  return low + static_cast<int>(random() % static_cast<unsigned>(high - low + 1));
}

struct Data {
  GuardedBuffer<std::uint8_t> x, residual;
  GuardedBuffer<std::int8_t> w;
  GuardedBuffer<float> multiplier, bias;
  std::vector<std::int32_t> offset;

  explicit Data(const Problem& p, unsigned seed = 1)
      : x(p.x_size()),
        residual(p.y_size()),
        w(static_cast<std::size_t>(taps(p) * p.shape.channels)),
        multiplier(static_cast<std::size_t>(p.shape.channels)),
        bias(multiplier.size()),
        offset(multiplier.size()) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(0.5f, 1.5f);
    for (auto& v : x) v = static_cast<std::uint8_t>(draw(random, p.values, 0, 255));
    for (auto& v : residual) v = static_cast<std::uint8_t>(draw(random, p.values, 0, 255));
    const bool any = p.values == Values::kAny;
    for (std::size_t c = 0; c < offset.size(); ++c) {
      // The weights of a channel span 256 values at most; only some channels need more than s8.
      const int low = any && c % 5 != 2 ? std::max(p.weight_low, -128) : p.weight_low;
      const int high = std::min({low + 255, p.weight_high, any && c % 5 != 2 ? 127 : 255});
      offset[c] = low < -128 ? low + 128 : high > 127 ? high - 127 : 0;
      for (std::int64_t t = 0; t < taps(p); ++t) {
        const int least = std::max(low, offset[c] - 128), most = std::min(high, offset[c] + 127);
        w[c * static_cast<std::size_t>(taps(p)) + static_cast<std::size_t>(t)] =
            static_cast<std::int8_t>(draw(random, p.values, least, most) - offset[c]);
      }
      const float scale = any ? std::sqrt(static_cast<float>(taps(p))) * 150 : static_cast<float>(taps(p)) * 255;
      multiplier[c] = 80 * uniform(random) / (scale * 100);
      bias[c] = 40 * (uniform(random) - 1);
    }
  }
  static std::int64_t taps(const Problem& p) { return std::int64_t{p.shape.kernel_h} * p.shape.kernel_w; }
};

class Packed {
 public:
  Packed(const DwConvU8Kernel& kernel, const Problem& p, const Data& d) {
    DwConvU8Weights weights{d.w.data(), d.offset.data(), d.multiplier.data(), d.bias.data(), p.x_zero_point};
    if (std::all_of(d.offset.begin(), d.offset.end(), [](int v) { return v == 0; })) weights.offset = nullptr;
    bytes_ = AlignedBuffer(dwconv_u8_packed_bytes(kernel, p.shape, weights));
    pack_dwconv_u8(kernel, p.shape, weights, bytes_.data());
  }
  const std::byte* data() const { return bytes_.data(); }

 private:
  AlignedBuffer bytes_;
};

DwConvU8Args make_args(const Problem& p, const Data& d, const Packed& packed) {
  DwConvU8Args args;
  args.shape = p.shape;
  args.x = d.x.data();
  args.x_pixel = args.y_pixel = p.pixel();
  args.x_row = p.shape.in_w * p.pixel();
  args.y_row = p.shape.out_w * p.pixel();
  args.x_zero_point = p.x_zero_point;
  args.packed = packed.data();
  args.residual = p.with_residual ? d.residual.data() : nullptr;
  args.requantise = p.requantise;
  return args;
}

template <class T>
void set_result(DwConvU8Args& args, T* y) {
  if constexpr (sizeof(T) == 1) {
    args.y = y;
  } else {
    args.y_f32 = y;
  }
}

constexpr int kUntouched = 77;

template <class T>
std::vector<T> computed(const DwConvU8Kernel& kernel, const Problem& p, const Data& d, int split = 1 << 20) {
  const Packed packed(kernel, p, d);
  GuardedBuffer<T> y(p.y_size());
  for (T& v : y) v = kUntouched;
  DwConvU8Args args = make_args(p, d, packed);
  set_result(args, y.data());
  for (int row = 0; row < p.shape.out_h; row += split) kernel.run(args, row, std::min(row + split, p.shape.out_h));
  return {y.begin(), y.end()};
}

// The definition in double; the sum is an integer.
double real_result(const Problem& p, const Data& d, int oy, int ox, int c) {
  const DwConvU8Shape& s = p.shape;
  const Requantise& q = p.requantise;
  double sum = 0;
  for (int ky = 0; ky < s.kernel_h; ++ky)
    for (int kx = 0; kx < s.kernel_w; ++kx) {
      const int iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
      const int ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
      if (iy < 0 || iy >= s.in_h || ix < 0 || ix >= s.in_w) continue;
      const int x = d.x[static_cast<std::size_t>((std::int64_t{iy} * s.in_w + ix) * p.pixel() + c)] - p.x_zero_point;
      const auto tap = static_cast<std::size_t>((std::int64_t{c} * s.kernel_h + ky) * s.kernel_w + kx);
      sum += x * (d.w[tap] + d.offset[static_cast<std::size_t>(c)]);
    }
  double v = sum * d.multiplier[static_cast<std::size_t>(c)] + d.bias[static_cast<std::size_t>(c)];
  if (q.middle) v = std::nearbyint(std::clamp<double>(v, q.middle_low, q.middle_high)) * q.middle_scale + q.middle_bias;
  const auto at = static_cast<std::size_t>((std::int64_t{oy} * s.out_w + ox) * p.pixel() + c);
  if (p.with_residual) v += d.residual[at] * q.residual_scale;
  if (p.real_result || q.kind > EpilogueKind::kClip)
    v = apply_epilogue<Scalar>({q.kind, q.a, q.b}, static_cast<float>(v));
  return q.kind > EpilogueKind::kClip && !p.real_result ? v * q.inverse_scale : v;
}

template <class T>
void expect_definition(const Problem& p, const Data& d, const std::vector<T>& found) {
  const DwConvU8Shape& s = p.shape;
  const Requantise& q = p.requantise;
  for (int oy = 0; oy < s.out_h; ++oy)
    for (int ox = 0; ox < s.out_w; ++ox)
      for (int c = 0; c < s.channels + p.gap; ++c) {
        const auto at = static_cast<std::size_t>((std::int64_t{oy} * s.out_w + ox) * p.pixel() + c);
        if (at >= found.size()) continue;
        if (c >= s.channels) {
          ASSERT_EQ(found[at], kUntouched) << "wrote between pixels";
          continue;
        }
        const double v = real_result(p, d, oy, ox, c);
        if (sizeof(T) > 1) {
          ASSERT_NEAR(found[at], v, 1e-4 + std::fabs(v) * 1e-5) << oy << " " << ox << " " << c;
          continue;
        }
        const auto byte = [&](double r) { return std::clamp<double>(std::nearbyint(r) + q.zero_point, q.low, q.high); };
        // Where fp32 rounds v across a tie both neighbours are right; the quantisation in the middle may move it by a
        // whole step then.
        const double slack = 1e-5 * std::fabs(v) + 1e-4 + (q.middle ? q.middle_scale : 0);
        ASSERT_LE(found[at], byte(v + slack)) << oy << " " << ox << " " << c;
        ASSERT_GE(found[at], byte(v - slack)) << oy << " " << ox << " " << c;
      }
}

template <class T>
void check_as(const DwConvU8Kernel& kernel, const Problem& p, unsigned seed) {
  const Data d(p, seed);
  const std::vector<T> found = computed<T>(kernel, p, d);
  expect_definition(p, d, found);
  if (testing::Test::HasFatalFailure()) return;
  const DwConvU8Kernel& scalar = dwconv_u8_kernels().back();
  if (&kernel != &scalar && p.requantise.kind <= EpilogueKind::kClip) {
    ASSERT_EQ(computed<T>(scalar, p, d), found) << "not the scalar twin's";
  }
  for (const int split : {1, 2, 3, 5}) ASSERT_EQ(computed<T>(kernel, p, d, split), found) << "split by " << split;
}

void check(const DwConvU8Kernel& kernel, const Problem& p, unsigned seed = 1) {
  const DwConvU8Shape& s = p.shape;
  SCOPED_TRACE(testing::Message() << s.channels << " channels, " << s.in_h << "x" << s.in_w << " to " << s.out_h << "x"
                                  << s.out_w << ", kernel " << s.kernel_h << "x" << s.kernel_w << ", stride "
                                  << s.stride_h << "x" << s.stride_w << ", dilation " << s.dilation_h << "x"
                                  << s.dilation_w << ", pads " << s.pad_top << " " << s.pad_left << ", gap " << p.gap
                                  << ", zero point " << p.x_zero_point << ", weights " << p.weight_low << " to "
                                  << p.weight_high << ", values " << static_cast<int>(p.values) << ", activation "
                                  << static_cast<int>(p.requantise.kind));
  ASSERT_TRUE(kernel.applies(s));
  if (p.real_result) {
    check_as<float>(kernel, p, seed);
  } else {
    check_as<std::uint8_t>(kernel, p, seed);
  }
}

DwConvU8Shape same_shape(int channels, int h, int w, int kernel, int stride) {
  DwConvU8Shape s;
  s.channels = channels;
  s.in_h = h;
  s.in_w = w;
  s.kernel_h = s.kernel_w = kernel;
  s.stride_h = s.stride_w = stride;
  s.pad_top = s.pad_left = kernel / 2;
  s.out_h = (h + stride - 1) / stride;
  s.out_w = (w + stride - 1) / stride;
  return s;
}

// Saturation alone bounds the result, as after most ReLUs.
Requantise relu(int zero_point = 0, int high = 255) {
  Requantise q;
  q.kind = EpilogueKind::kClip;
  q.b = kInf;
  q.zero_point = zero_point;
  q.low = static_cast<std::uint8_t>(zero_point);
  q.high = static_cast<std::uint8_t>(high);
  q.may_overflow = false;
  return q;
}

Requantise bounded(int zero_point, int low, int high) {
  Requantise q;
  q.kind = EpilogueKind::kClip;
  q.a = -1;
  q.b = 1;
  q.zero_point = zero_point;
  q.low = static_cast<std::uint8_t>(low);
  q.high = static_cast<std::uint8_t>(high);
  q.may_overflow = false;
  return q;
}

class DwConvU8 : public testing::TestWithParam<DwConvU8Kernel> {
 protected:
  void SetUp() override {
    if (!detect_cpu().has(GetParam().isa)) GTEST_SKIP() << "this CPU lacks " << isa_name(GetParam().isa);
  }
  int kernel() const { return GetParam().kernel ? GetParam().kernel : 3; }
  int stride() const { return GetParam().kernel ? GetParam().stride : 1; }
  DwConvU8Shape shape(int channels, int h, int w) const { return same_shape(channels, h, w, kernel(), stride()); }
};

TEST_P(DwConvU8, EveryChannelTail) {
  for (const int channels : {1,  2,  7,  8,  9,  15, 16, 17, 24, 31,  32,  33,  40,  47,  48,
                             49, 56, 63, 64, 65, 72, 80, 81, 96, 112, 113, 127, 128, 129, 144})
    for (const Requantise& q : {relu(), bounded(90, 10, 240)})
      check(GetParam(), {.shape = shape(channels, 7, 9), .requantise = q});
}

TEST_P(DwConvU8, EveryWidthAndHeight) {
  for (int w = 1; w <= 24; ++w) check(GetParam(), {.shape = shape(17, 6, w), .requantise = relu(3)});
  for (int h = 1; h <= 14; ++h) check(GetParam(), {.shape = shape(70, h, 8), .requantise = relu(3)});
  for (int h = 1; h <= 9; ++h)
    for (int w = 1; w <= 9; ++w) check(GetParam(), {.shape = shape(20, h, w), .requantise = relu(3)});
  check(GetParam(), {.shape = shape(66, 19, 75), .requantise = relu(3)});
}

TEST_P(DwConvU8, Pads) {
  for (const auto& [top, left, out_h, out_w] : {std::array{0, 0, 5, 5},
                                                {0, 2, 6, 6},
                                                {2, 0, 6, 4},
                                                {4, 4, 9, 9},
                                                {1, 3, 12, 14},
                                                {3, 1, 9, 12},
                                                {7, 7, 3, 3},
                                                {0, 5, 4, 6}})
    for (const int channels : {16, 35, 64}) {
      DwConvU8Shape s = shape(channels, 9, 10);
      s.pad_top = top;
      s.pad_left = left;
      s.out_h = out_h;
      s.out_w = out_w;
      for (const int zero_point : {0, 200}) check(GetParam(), {.shape = s, .x_zero_point = zero_point});
    }
}

TEST_P(DwConvU8, Extremes) {
  for (const int zero_point : {0, 128, 255})
    for (const Values values : {Values::kAny, Values::kLowest, Values::kHighest, Values::kEnds})
      for (const auto& [low, high] :
           {std::array{-128, 127}, {-255, 255}, {0, 255}, {-255, 0}, {-200, 40}, {-90, 160}, {255, 255}})
        for (const int channels : {8, 23, 64})
          check(GetParam(), {.shape = shape(channels, 6, 7),
                             .x_zero_point = zero_point,
                             .weight_low = low,
                             .weight_high = high,
                             .values = values,
                             .requantise = bounded(128, 0, 255)});
}

TEST_P(DwConvU8, BoundsAndZeroPoints) {
  for (const Requantise& q : {relu(0), relu(0, 200), relu(77), relu(255), relu(128, 128), bounded(0, 0, 255),
                              bounded(255, 0, 255), bounded(100, 100, 255), bounded(100, 50, 60), bounded(7, 0, 0)})
    for (const int channels : {30, 90}) check(GetParam(), {.shape = shape(channels, 7, 8), .requantise = q});
}

TEST_P(DwConvU8, OverflowingResultsSaturate) {
  Problem p{.shape = shape(40, 7, 8), .requantise = bounded(9, 2, 250)};
  p.requantise.may_overflow = true;
  Data d(p);
  for (std::size_t c = 0; c < d.multiplier.size(); ++c) d.multiplier[c] = c % 2 ? 1e6f : -1e6f;
  expect_definition(p, d, computed<std::uint8_t>(GetParam(), p, d));
}

TEST_P(DwConvU8, ResidualActivationsMiddleAndRealResults) {
  for (const EpilogueKind kind : {EpilogueKind::kNone, EpilogueKind::kClip, EpilogueKind::kLeakyRelu,
                                  EpilogueKind::kHardSwish, EpilogueKind::kSilu})
    for (const bool real : {false, true})
      for (const int channels : {9, 37, 64}) {
        Requantise q = bounded(60, 0, 255);
        q.kind = kind;
        q.a = kind == EpilogueKind::kLeakyRelu ? 0.1f : -20;
        q.b = 30;
        q.inverse_scale = 1.7f;
        q.residual_scale = 0.37f;
        const DwConvU8Shape s = shape(channels, 7, 8);
        check(GetParam(), {.shape = s, .gap = 3, .real_result = real, .requantise = q});
        check(GetParam(), {.shape = s, .with_residual = true, .real_result = real, .requantise = q});
        q.middle = true;
        q.middle_low = -30;
        q.middle_high = 25;
        q.middle_scale = 1.5f;
        q.middle_bias = -0.3f;
        if (!real) check(GetParam(), {.shape = s, .with_residual = true, .requantise = q});
      }
}

TEST_P(DwConvU8, ResidualInPlace) {
  for (const int channels : {12, 49, 64}) {
    Problem p{.shape = shape(channels, 7, 8), .with_residual = true, .requantise = bounded(60, 0, 255)};
    p.requantise.residual_scale = 0.5f;
    const Data d(p);
    const Packed packed(GetParam(), p, d);
    GuardedBuffer<std::uint8_t> y(p.y_size());
    std::memcpy(y.data(), d.residual.data(), p.y_size());
    DwConvU8Args args = make_args(p, d, packed);
    args.y = y.data();
    args.residual = y.data();
    GetParam().run(args, 0, p.shape.out_h);
    EXPECT_EQ(std::vector<std::uint8_t>(y.begin(), y.end()), computed<std::uint8_t>(GetParam(), p, d));
  }
}

TEST_P(DwConvU8, SlicesOfChannels) {
  for (const int channels : {5, 20, 40, 64, 100})
    check(GetParam(), {.shape = shape(channels, 8, 9), .gap = 7, .requantise = relu(5)});
}

TEST_P(DwConvU8, AnyGeometry) {
  if (GetParam().kernel != 0) {
    DwConvU8Shape dilated = shape(16, 9, 9);
    EXPECT_TRUE(GetParam().applies(dilated));
    dilated.dilation_h = 2;
    EXPECT_FALSE(GetParam().applies(dilated));
    return;
  }
  for (const int dilation : {1, 2, 3})
    for (const auto& [kh, kw, sh, sw] : {std::array{1, 1, 1, 1},
                                         {2, 2, 2, 2},
                                         {3, 3, 1, 1},
                                         {4, 1, 1, 1},
                                         {6, 6, 2, 1},
                                         {7, 7, 1, 1},
                                         {3, 5, 2, 1},
                                         {2, 4, 3, 2},
                                         {5, 5, 2, 2}})
      for (const int channels : {3, 67}) {
        DwConvU8Shape s;
        s.channels = channels;
        s.in_h = 11;
        s.in_w = 13;
        s.kernel_h = kh;
        s.kernel_w = kw;
        s.stride_h = sh;
        s.stride_w = sw;
        s.dilation_h = dilation;
        s.dilation_w = 3 - dilation % 2 * 2;
        s.pad_top = 2;
        s.pad_left = 1;
        s.out_h = (s.in_h + 4 - dilation * (kh - 1) - 1) / sh + 1;
        s.out_w = (s.in_w + 2 - s.dilation_w * (kw - 1) - 1) / sw + 1;
        if (s.in_h + 4 < dilation * (kh - 1) + 1 || s.in_w + 2 < s.dilation_w * (kw - 1) + 1) continue;
        check(GetParam(), {.shape = s, .weight_low = -200, .weight_high = 200, .requantise = relu(12)});
      }
}

INSTANTIATE_TEST_SUITE_P(Rows, DwConvU8, testing::ValuesIn(dwconv_u8_kernels().begin(), dwconv_u8_kernels().end()),
                         [](const auto& info) { return std::string(info.param.name); });

// The activations that see real numbers: the vector rows give the same bytes.
TEST(DwConvU8List, VectorRowsAgreeOnEveryActivation) {
  const CpuFeatures cpu = detect_cpu();
  if (!cpu.avx2) GTEST_SKIP() << "this CPU has no vector rows";
  for (const int kernel : {3, 5, 7})
    for (const int stride : {1, 2})
      for (const EpilogueKind kind : {EpilogueKind::kHardSwish, EpilogueKind::kSilu, EpilogueKind::kTanh}) {
        Problem p{.shape = same_shape(77, 15, 17, kernel, stride), .requantise = bounded(40, 0, 255)};
        p.requantise.kind = kind;
        p.requantise.inverse_scale = 3.1f;
        const Data d(p, 7);
        std::vector<std::uint8_t> first;
        for (const DwConvU8Kernel& row : dwconv_u8_kernels()) {
          if (row.isa == Isa::kScalar || !cpu.has(row.isa) || !row.applies(p.shape)) continue;
          const std::vector<std::uint8_t> found = computed<std::uint8_t>(row, p, d);
          if (first.empty()) first = found;
          EXPECT_EQ(first, found) << row.name;
        }
      }
}

TEST(DwConvU8List, SelectsTheBestRowThatApplies) {
  CpuFeatures none, avx2, all;
  avx2.avx2 = all.avx2 = all.avx512 = all.avx512_vnni = true;
  DwConvU8Shape s = same_shape(32, 8, 8, 3, 1);
  EXPECT_STREQ(select_dwconv_u8(s, all).name, "dwconv_u8_3x3s1_vnni");
  EXPECT_STREQ(select_dwconv_u8(s, avx2).name, "dwconv_u8_3x3s1_avx2");
  EXPECT_STREQ(select_dwconv_u8(s, none).name, "dwconv_u8_any_scalar");
  s.dilation_w = 2;
  EXPECT_STREQ(select_dwconv_u8(s, all).name, "dwconv_u8_any_vnni");
  s.dilation_w = 1;
  s.stride_h = 2;
  EXPECT_STREQ(select_dwconv_u8(s, avx2).name, "dwconv_u8_any_avx2");
}

}  // namespace
}  // namespace fovea::kernels
