#include "kernels/dwconv_f32/dwconv_f32.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "base/cpu_features.h"
#include "kernels/guarded_buffer.h"

namespace fovea::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

double activate(const Epilogue& e, double x) {
  const auto sigmoid = [](double v) { return 1 / (1 + std::exp(-v)); };
  switch (e.kind) {
    case EpilogueKind::kNone:
      return x;
    case EpilogueKind::kClip:
      return std::fmax(e.a, std::fmin(e.b, x));
    case EpilogueKind::kLeakyRelu:
      return x < 0 ? e.a * x : x;
    case EpilogueKind::kSigmoid:
      return sigmoid(x);
    case EpilogueKind::kHardSigmoid:
      return std::fmax(0, std::fmin(1, e.a * x + e.b));
    case EpilogueKind::kHardSwish:
      return x * std::fmax(0, std::fmin(1, x / 6 + 0.5));
    case EpilogueKind::kSilu:
      return x * sigmoid(x);
    case EpilogueKind::kTanh:
      return std::tanh(x);
  }
  return x;
}

// One convolution in guarded buffers, with gaps between pixels and rows where asked for.
struct Problem {
  DwConvF32Shape shape;
  int gap = 0;  // floats between pixels of x and of y
  Epilogue epilogue;
  bool with_bias = true, with_residual = false;

  std::int64_t x_pixel() const { return shape.channels + gap; }
  std::int64_t x_size() const { return (std::int64_t{shape.in_h} * shape.in_w - 1) * x_pixel() + shape.channels; }
  std::int64_t y_size() const { return (std::int64_t{shape.out_h} * shape.out_w - 1) * x_pixel() + shape.channels; }
};

struct Data {
  GuardedBuffer<float> x, onnx_weights, weights, bias, residual;
  Data(const Problem& p, unsigned seed)
      : x(p.x_size()),
        onnx_weights(p.shape.channels * p.shape.kernel_h * p.shape.kernel_w),
        weights(onnx_weights.size()),
        bias(p.shape.channels),
        residual(p.y_size()) {
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (auto* buffer : {&x, &onnx_weights, &bias, &residual})
      for (float& v : *buffer) v = uniform(random);
    pack_dwconv_f32_weights(p.shape, onnx_weights.data(), weights.data());
  }
};

DwConvF32Args make_args(const Problem& p, const Data& d, float* y) {
  DwConvF32Args args;
  args.shape = p.shape;
  args.x = d.x.data();
  args.x_pixel = args.y_pixel = p.x_pixel();
  args.x_row = p.shape.in_w * p.x_pixel();
  args.y_row = p.shape.out_w * p.x_pixel();
  args.weights = d.weights.data();
  args.bias = p.with_bias ? d.bias.data() : nullptr;
  args.residual = p.with_residual ? d.residual.data() : nullptr;
  args.y = y;
  args.epilogue = p.epilogue;
  return args;
}

struct Expected {
  double value, magnitude;
};
Expected reference(const Problem& p, const Data& d, int oy, int ox, int c) {
  const DwConvF32Shape& s = p.shape;
  double sum = p.with_bias ? d.bias[c] : 0, magnitude = std::fabs(sum);
  for (int ky = 0; ky < s.kernel_h; ++ky)
    for (int kx = 0; kx < s.kernel_w; ++kx) {
      const int iy = oy * s.stride_h - s.pad_top + ky * s.dilation_h;
      const int ix = ox * s.stride_w - s.pad_left + kx * s.dilation_w;
      if (iy < 0 || iy >= s.in_h || ix < 0 || ix >= s.in_w) continue;
      const double product = double{d.x[(std::int64_t{iy} * s.in_w + ix) * p.x_pixel() + c]} *
                             d.onnx_weights[(std::int64_t{c} * s.kernel_h + ky) * s.kernel_w + kx];
      sum += product;
      magnitude += std::fabs(product);
    }
  if (p.with_residual) sum += d.residual[(std::int64_t{oy} * s.out_w + ox) * p.x_pixel() + c];
  return {activate(p.epilogue, sum), magnitude + 1};
}

void check(const DwConvF32Kernel& kernel, const Problem& p, unsigned seed = 1) {
  const DwConvF32Shape& s = p.shape;
  SCOPED_TRACE(testing::Message() << s.channels << " channels, " << s.in_h << "x" << s.in_w << " to " << s.out_h << "x"
                                  << s.out_w << ", kernel " << s.kernel_h << "x" << s.kernel_w << ", stride "
                                  << s.stride_h << ", pads " << s.pad_top << " " << s.pad_left << ", gap " << p.gap
                                  << ", epilogue " << static_cast<int>(p.epilogue.kind));
  ASSERT_TRUE(kernel.applies(s));
  const Data data(p, seed);
  GuardedBuffer<float> y(p.y_size());
  constexpr float kUntouched = 12345;
  for (float& v : y) v = kUntouched;
  kernel.run(make_args(p, data, y.data()), 0, s.out_h);
  // Every term is rounded once into a sum no larger than its magnitude; the activations have slopes up to 1.1.
  const double tolerance = (s.kernel_h * s.kernel_w + 6) * 1.1 * 0x1p-24;
  for (int oy = 0; oy < s.out_h; ++oy)
    for (int ox = 0; ox < s.out_w; ++ox)
      for (int c = 0; c < s.channels + p.gap; ++c) {
        const std::int64_t at = (std::int64_t{oy} * s.out_w + ox) * p.x_pixel() + c;
        if (at >= p.y_size()) continue;
        if (c >= s.channels) {
          ASSERT_EQ(y[at], kUntouched) << "wrote between pixels";
          continue;
        }
        const Expected e = reference(p, data, oy, ox, c);
        ASSERT_NEAR(y[at], e.value, tolerance * e.magnitude) << "row " << oy << " column " << ox << " channel " << c;
      }
  // Any split, the same bytes.
  for (const int step : {1, 2, 3}) {
    GuardedBuffer<float> split(p.y_size());
    for (float& v : split) v = kUntouched;
    for (int row = 0; row < s.out_h; row += step)
      kernel.run(make_args(p, data, split.data()), row, std::min(row + step, s.out_h));
    ASSERT_EQ(std::memcmp(split.data(), y.data(), y.size() * sizeof(float)), 0) << "split by " << step;
  }
}

DwConvF32Shape same_shape(int channels, int h, int w, int kernel, int stride) {
  DwConvF32Shape s;
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

class DwConvF32 : public testing::TestWithParam<DwConvF32Kernel> {
 protected:
  void SetUp() override {
    if (!detect_cpu().has(GetParam().isa)) GTEST_SKIP() << "this CPU lacks " << isa_name(GetParam().isa);
  }
  int kernel() const { return GetParam().kernel ? GetParam().kernel : 3; }
  int stride() const { return GetParam().kernel ? GetParam().stride : 1; }
};

TEST_P(DwConvF32, EveryChannelTail) {
  for (const int channels : {1, 2, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 47, 48, 49, 63, 64, 65, 72, 130})
    check(GetParam(), {same_shape(channels, 7, 9, kernel(), stride())});
}

TEST_P(DwConvF32, EveryWidthAndHeight) {
  for (int w = 1; w <= 24; ++w) check(GetParam(), {same_shape(17, 6, w, kernel(), stride())});
  for (int h = 1; h <= 14; ++h) check(GetParam(), {same_shape(33, h, 8, kernel(), stride())});
  check(GetParam(), {same_shape(20, 1, 1, kernel(), stride())});
}

TEST_P(DwConvF32, Pads) {
  for (const auto& [top, left, out_h, out_w] :
       {std::array{0, 0, 5, 5}, {0, 2, 6, 6}, {2, 0, 6, 4}, {4, 4, 9, 9}, {1, 3, 12, 14}, {7, 7, 3, 3}}) {
    DwConvF32Shape s = same_shape(35, 9, 10, kernel(), stride());
    s.pad_top = top;
    s.pad_left = left;
    s.out_h = out_h;
    s.out_w = out_w;
    check(GetParam(), {s});
  }
}

TEST_P(DwConvF32, EpiloguesBiasAndResidual) {
  const Epilogue epilogues[] = {{EpilogueKind::kNone},
                                {EpilogueKind::kClip, 0, kInf},
                                {EpilogueKind::kClip, -0.5f, 0.25f},
                                {EpilogueKind::kLeakyRelu, 0.1f},
                                {EpilogueKind::kSigmoid},
                                {EpilogueKind::kHardSigmoid, 0.2f, 0.5f},
                                {EpilogueKind::kHardSwish},
                                {EpilogueKind::kSilu},
                                {EpilogueKind::kTanh}};
  for (const Epilogue& epilogue : epilogues)
    for (const int gap : {0, 3}) {
      const DwConvF32Shape s = same_shape(41, 7, 8, kernel(), stride());
      check(GetParam(), {s, gap, epilogue, true, false});
      check(GetParam(), {s, gap, epilogue, false, true});
    }
}

TEST_P(DwConvF32, ResidualInPlace) {
  const Problem p{same_shape(49, 7, 8, kernel(), stride()), 0, {EpilogueKind::kClip, 0, kInf}, true, true};
  const Data data(p, 3);
  GuardedBuffer<float> apart(p.y_size()), in_place(p.y_size());
  GetParam().run(make_args(p, data, apart.data()), 0, p.shape.out_h);
  std::memcpy(in_place.data(), data.residual.data(), p.y_size() * sizeof(float));
  DwConvF32Args args = make_args(p, data, in_place.data());
  args.residual = in_place.data();
  GetParam().run(args, 0, p.shape.out_h);
  EXPECT_EQ(std::memcmp(apart.data(), in_place.data(), p.y_size() * sizeof(float)), 0);
}

TEST_P(DwConvF32, NaNReachesItsWindowOnly) {
  Problem p{same_shape(19, 9, 9, kernel(), stride()), 0, {EpilogueKind::kClip, 0, 6}};
  Data data(p, 5);
  const int centre = 4;
  for (int c = 0; c < 19; ++c) data.x[(centre * 9 + centre) * 19 + c] = std::nanf("");
  GuardedBuffer<float> y(p.y_size());
  GetParam().run(make_args(p, data, y.data()), 0, p.shape.out_h);
  const int reach = kernel() / 2;
  for (int oy = 0; oy < p.shape.out_h; ++oy)
    for (int ox = 0; ox < p.shape.out_w; ++ox) {
      const bool touched = std::abs(oy * stride() - centre) <= reach && std::abs(ox * stride() - centre) <= reach;
      for (int c = 0; c < 19; ++c)
        ASSERT_EQ(std::isnan(y[(oy * p.shape.out_w + ox) * 19 + c]), touched) << oy << " " << ox << " " << c;
    }
}

TEST_P(DwConvF32, AnyGeometry) {
  if (GetParam().kernel != 0) {
    DwConvF32Shape dilated = same_shape(16, 9, 9, kernel(), stride());
    EXPECT_TRUE(GetParam().applies(dilated));
    dilated.dilation_h = 2;
    EXPECT_FALSE(GetParam().applies(dilated));
    return;
  }
  for (const int dilation : {1, 2, 3})
    for (const auto& [kh, kw, sh, sw] :
         {std::array{1, 1, 1, 1}, {7, 7, 1, 1}, {3, 5, 2, 1}, {2, 4, 3, 2}, {5, 5, 2, 2}}) {
      DwConvF32Shape s;
      s.channels = 67;
      s.in_h = 11;
      s.in_w = 13;
      s.kernel_h = kh;
      s.kernel_w = kw;
      s.stride_h = sh;
      s.stride_w = sw;
      s.dilation_h = dilation;
      s.dilation_w = 1;
      s.pad_top = 2;
      s.pad_left = 1;
      s.out_h = (s.in_h + 4 - dilation * (kh - 1) - 1) / sh + 1;
      s.out_w = (s.in_w + 2 - (kw - 1) - 1) / sw + 1;
      if (s.out_h < 1) continue;
      check(GetParam(), {s, 0, {EpilogueKind::kHardSwish}});
    }
}

INSTANTIATE_TEST_SUITE_P(Rows, DwConvF32, testing::ValuesIn(dwconv_f32_kernels().begin(), dwconv_f32_kernels().end()),
                         [](const auto& info) { return std::string(info.param.name); });

// All rows with fused multiply-add give the same bits for the same convolution.
TEST(DwConvF32List, VectorRowsAgreeBitForBit) {
  const CpuFeatures cpu = detect_cpu();
  if (!cpu.avx2) GTEST_SKIP() << "this CPU has no vector rows";
  for (const int kernel : {3, 5})
    for (const int stride : {1, 2})
      for (const EpilogueKind kind : {EpilogueKind::kNone, EpilogueKind::kHardSwish, EpilogueKind::kSilu}) {
        const Problem p{same_shape(77, 15, 17, kernel, stride), 0, {kind}};
        const Data data(p, 7);
        std::vector<float> first;
        for (const DwConvF32Kernel& row : dwconv_f32_kernels()) {
          if (row.isa == Isa::kScalar || !cpu.has(row.isa) || !row.applies(p.shape)) continue;
          std::vector<float> y(p.y_size());
          row.run(make_args(p, data, y.data()), 0, p.shape.out_h);
          if (first.empty()) first = y;
          EXPECT_EQ(std::memcmp(first.data(), y.data(), y.size() * sizeof(float)), 0) << row.name;
        }
      }
}

TEST(DwConvF32List, SelectsTheBestRowThatApplies) {
  CpuFeatures none, all;
  all.avx2 = all.avx512 = true;
  CpuFeatures avx2;
  avx2.avx2 = true;
  DwConvF32Shape s = same_shape(32, 8, 8, 3, 1);
  EXPECT_STREQ(select_dwconv_f32(s, all).name, "dwconv_f32_3x3s1_avx512");
  EXPECT_STREQ(select_dwconv_f32(s, avx2).name, "dwconv_f32_3x3s1_avx2");
  EXPECT_STREQ(select_dwconv_f32(s, none).name, "dwconv_f32_any_scalar");
  s.dilation_w = 2;
  EXPECT_STREQ(select_dwconv_f32(s, all).name, "dwconv_f32_any_avx512");
  s.dilation_w = 1;
  s.stride_h = 2;
  EXPECT_STREQ(select_dwconv_f32(s, all).name, "dwconv_f32_any_avx512");
}

}  // namespace
}  // namespace fovea::kernels
