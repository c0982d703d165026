#include "kernels/igemm_f32/igemm_f32.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <vector>

#include "base/rng.h"
#include "kernels/guarded_buffer.h"

namespace fovea::kernels {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr Isa kIsas[] = {Isa::kAvx512, Isa::kAvx2, Isa::kScalar};

void fill_random(Rng& rng, float* begin, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) begin[i] = rng.uniform(-1.0f, 1.0f);
}

// Their sizes keep them 32-byte aligned at least, though they end at a guard page.
using Packed = GuardedBuffer<float>;

struct ConvCase {
  std::int64_t images = 1, in_h = 1, in_w = 1, channels = 1, n = 1;
  std::int64_t kernel_h = 1, kernel_w = 1, stride = 1, dilation = 1, pad_top = 0, pad_left = 0, out_h = 1, out_w = 1;
  bool bias = true, residual = false;
  Epilogue epilogue;
};

IgemmRows conv_rows(const ConvCase& c, const float* x) {
  IgemmRows rows;
  rows.base = x;
  rows.pixel_stride = c.channels;
  rows.row_stride = c.in_w * c.channels;
  rows.image_stride = c.in_h * rows.row_stride;
  rows.in_h = c.in_h;
  rows.in_w = c.in_w;
  rows.out_h = c.out_h;
  rows.out_w = c.out_w;
  rows.kernel_h = c.kernel_h;
  rows.kernel_w = c.kernel_w;
  rows.stride_h = rows.stride_w = c.stride;
  rows.dilation_h = rows.dilation_w = c.dilation;
  rows.pad_top = c.pad_top;
  rows.pad_left = c.pad_left;
  return rows;
}

double activate(const Epilogue& e, double x) {
  const auto clip = [](double v, double lo, double hi) { return std::max(lo, std::min(hi, v)); };
  switch (e.kind) {
    case EpilogueKind::kNone:
      return x;
    case EpilogueKind::kClip:
      return clip(x, e.a, e.b);
    case EpilogueKind::kLeakyRelu:
      return x < 0 ? x * e.a : x;
    case EpilogueKind::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case EpilogueKind::kHardSigmoid:
      return clip(e.a * x + e.b, 0, 1);
    case EpilogueKind::kHardSwish:
      return x * clip(x / 6 + 0.5, 0, 1);
    case EpilogueKind::kSilu:
      return x / (1 + std::exp(-x));
    case EpilogueKind::kTanh:
      return std::tanh(x);
  }
  return x;
}

// One convolution with data, its expected values in double, and a guarded output.
class Fixture {
 public:
  explicit Fixture(const ConvCase& c, std::uint64_t seed = 1)
      : c_(c),
        m_(c.images * c.out_h * c.out_w),
        taps_(c.kernel_h * c.kernel_w),
        x_(std::size_t(c.images * c.in_h * c.in_w * c.channels)),
        w_(std::size_t(c.n * c.channels * taps_)),
        bias_(std::size_t(c.n)),
        residual_(std::size_t(m_ * c.n)) {
    Rng rng(seed);
    fill_random(rng, x_.data(), x_.size());
    fill_random(rng, w_.data(), w_.size());
    fill_random(rng, bias_.data(), bias_.size());
    fill_random(rng, residual_.data(), residual_.size());
  }

  std::int64_t m() const { return m_; }
  std::int64_t products() const { return taps_ * c_.channels; }
  GuardedBuffer<float>& x() { return x_; }
  GuardedBuffer<float>& w() { return w_; }
  GuardedBuffer<float>& bias() { return bias_; }

  IgemmF32 problem(Isa isa) {
    IgemmF32 p;
    p.m = m_;
    p.k = c_.channels;
    p.a = conv_rows(c_, x_.data());
    p.panels = igemm_f32_panels(isa, c_.n);
    packed_ = std::make_unique<Packed>(igemm_f32_packed_floats(p.panels, taps_, c_.channels));
    igemm_f32_pack(p.panels, oihw_weights(w_.data(), c_.channels, c_.kernel_h, c_.kernel_w), taps_, c_.channels,
                   packed_->data());
    p.b = packed_->data();
    p.bias = c_.bias ? bias_.data() : nullptr;
    if (c_.residual) p.residual = residual_.data();
    p.residual_stride = c_.n;
    p.c_stride = c_.n;
    p.epilogue = c_.epilogue;
    return p;
  }

  std::vector<float> run(Isa isa) {
    GuardedBuffer<float> out(std::size_t(m_ * c_.n));
    std::fill(out.begin(), out.end(), std::numeric_limits<float>::quiet_NaN());
    IgemmF32 p = problem(isa);
    p.c = out.data();
    igemm_f32(p);
    return {out.begin(), out.end()};
  }

  // The sum before the activation, in double, and the sum of magnitudes that bounds its error.
  struct Expected {
    double sum, magnitude;
  };
  Expected expected(std::int64_t m, std::int64_t n) const {
    const std::int64_t ox = m % c_.out_w, oy = m / c_.out_w % c_.out_h, image = m / (c_.out_w * c_.out_h);
    Expected e{c_.bias ? bias_[std::size_t(n)] : 0.0, 0};
    for (std::int64_t t = 0; t < taps_; ++t) {
      const std::int64_t iy = oy * c_.stride + t / c_.kernel_w * c_.dilation - c_.pad_top;
      const std::int64_t ix = ox * c_.stride + t % c_.kernel_w * c_.dilation - c_.pad_left;
      if (iy < 0 || iy >= c_.in_h || ix < 0 || ix >= c_.in_w) continue;
      for (std::int64_t k = 0; k < c_.channels; ++k) {
        const double product = double(x_[std::size_t(((image * c_.in_h + iy) * c_.in_w + ix) * c_.channels + k)]) *
                               w_[std::size_t((n * c_.channels + k) * taps_ + t)];
        e.sum += product;
        e.magnitude += std::abs(product);
      }
    }
    if (c_.residual) e.sum += residual_[std::size_t(m * c_.n + n)];
    return e;
  }

  void expect_close(const std::vector<float>& out) const {
    for (std::int64_t m = 0; m < m_; ++m) {
      for (std::int64_t n = 0; n < c_.n; ++n) {
        const Expected e = expected(m, n);
        const double y = activate(c_.epilogue, e.sum);
        // Each of the products + 2 additions rounds a sum that the magnitudes bound; activations of slope <= 1.1.
        const double bound = (double(taps_ * c_.channels) + 2) * 0x1p-24 * (e.magnitude + 2) * 1.1 + 1e-6;
        ASSERT_NEAR(out[std::size_t(m * c_.n + n)], y, bound) << "m " << m << " n " << n;
      }
    }
  }

 private:
  ConvCase c_;
  std::int64_t m_, taps_;
  GuardedBuffer<float> x_, w_, bias_, residual_;
  std::unique_ptr<Packed> packed_;
};

ConvCase dense_case(std::int64_t m, std::int64_t n, std::int64_t k) {
  ConvCase c;
  c.in_w = c.out_w = m;
  c.channels = k;
  c.n = n;
  return c;
}

ConvCase conv3x3_case(std::int64_t size, std::int64_t n, std::int64_t channels) {
  ConvCase c;
  c.in_h = c.in_w = c.out_h = c.out_w = size;
  c.channels = channels;
  c.n = n;
  c.kernel_h = c.kernel_w = 3;
  c.pad_top = c.pad_left = 1;
  return c;
}

bool missing(Isa isa) { return !detect_cpu().has(isa); }

bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

// Every row of kernels.inc at 1 less, exactly and 1 more than multiples of its tile, in m and n, and a few depths.
TEST(IgemmF32, EveryKernelAtTileEdges) {
  for (const IgemmKernel& kernel : igemm_f32_kernels()) {
    if (missing(kernel.isa)) {
      std::fprintf(stderr, "not tested here, the CPU lacks it: %s\n", kernel.name);
      continue;
    }
    for (int m : {1, kernel.mr - 1, kernel.mr, kernel.mr + 1, 2 * kernel.mr - 1, 2 * kernel.mr, 3 * kernel.mr + 1}) {
      for (int n : {1, kernel.nr - 1, kernel.nr, kernel.nr + 1, 2 * kernel.nr}) {
        for (int k : {1, 2, 17}) {
          if (m < 1 || n < 1) continue;
          SCOPED_TRACE(testing::Message() << kernel.name << " m " << m << " n " << n << " k " << k);
          ConvCase c = dense_case(m, n, k);
          c.residual = (m + n) % 2 == 0;
          c.epilogue = n % 3 == 0 ? Epilogue{EpilogueKind::kClip, 0, kInf} : Epilogue{};
          Fixture f(c, std::uint64_t(m * 1000 + n));
          const std::vector<float> out = f.run(kernel.isa);
          f.expect_close(out);
          EXPECT_TRUE(same_bits(out, f.run(Isa::kScalar)));
        }
      }
    }
  }
}

// Narrow kernels run whole panels too, not only where selection puts them.
TEST(IgemmF32, EveryKernelRunsAlone) {
  Rng rng(7);
  for (const IgemmKernel& kernel : igemm_f32_kernels()) {
    if (missing(kernel.isa)) continue;
    const IgemmKernel& scalar = igemm_f32_kernels().back();
    for (std::int64_t m = 1; m <= 2 * kernel.mr + 1; ++m) {
      for (int n : {1, kernel.nr - 1, kernel.nr}) {
        constexpr std::int64_t kTaps = 2, kK = 5;
        GuardedBuffer<float> a(std::size_t(m * kTaps * kK)), residual(std::size_t(m * n)),
            w(std::size_t(n * kTaps * kK));
        Packed b(std::size_t(kernel.nr * kTaps * kK)), bias(std::size_t(kernel.nr));
        fill_random(rng, a.data(), a.size());
        fill_random(rng, residual.data(), residual.size());
        fill_random(rng, b.data(), std::size_t(kernel.nr * kTaps * kK));
        fill_random(rng, bias.data(), std::size_t(kernel.nr));
        std::vector<std::int64_t> rows;
        std::vector<std::int64_t> offsets;  // backwards
        for (std::int64_t r = 0; r < m; ++r) offsets.push_back((m - 1 - r) * n);
        const std::int32_t taps[kTaps] = {1, 0};
        for (std::int64_t r = 0; r < m * kTaps; ++r) rows.push_back(r * kK);
        GuardedBuffer<float> c(std::size_t(m * n));
        IgemmRun run{};
        run.a = a.data();
        run.a_offsets = rows.data();
        run.a_tap_stride = run.m = m;
        run.c_offsets = run.residual_offsets = offsets.data();
        run.tap_indices = taps;
        run.taps = kTaps;
        run.k = kK;
        run.b = b.data();
        run.b_tap_stride = kK * kernel.nr;
        run.bias = bias.data();
        run.residual = residual.data();
        run.c = c.data();
        run.n = n;
        run.finish = true;
        kernel.run(run);
        const std::vector<float> got(c.begin(), c.end());
        // The scalar row, 16 columns at a time, over the same operands.
        for (int column = 0; column < n; column += scalar.nr) {
          Packed part(std::size_t(scalar.nr * kTaps * kK));
          for (std::int64_t r = 0; r < kTaps * kK; ++r)
            for (int j = 0; j < scalar.nr; ++j)
              part.data()[r * scalar.nr + j] = column + j < kernel.nr ? b.data()[r * kernel.nr + column + j] : 0;
          IgemmRun piece = run;
          piece.b = part.data();
          piece.b_tap_stride = kK * scalar.nr;
          piece.bias = bias.data() + column;
          piece.residual = residual.data() + column;
          piece.c = c.data() + column;
          piece.n = std::min(n - column, scalar.nr);
          scalar.run(piece);
        }
        EXPECT_TRUE(same_bits(got, {c.begin(), c.end()})) << kernel.name << " m " << m << " n " << n;
      }
    }
  }
}

TEST(IgemmF32, Convolutions) {
  std::vector<ConvCase> cases = {conv3x3_case(5, 16, 3), conv3x3_case(7, 65, 19), conv3x3_case(1, 10, 8),
                                 conv3x3_case(12, 33, 16)};
  ConvCase c = conv3x3_case(9, 24, 7);  // stride 2, asymmetric padding, three images
  c.images = 3;
  c.stride = 2;
  c.pad_top = 0;
  c.out_h = 4;
  c.out_w = 5;
  cases.push_back(c);
  c = conv3x3_case(11, 40, 5);  // dilation 3: taps far outside on both sides
  c.dilation = 3;
  c.pad_top = c.pad_left = 3;
  cases.push_back(c);
  c = conv3x3_case(3, 17, 4);  // a kernel larger than the image, padding beyond it
  c.kernel_h = 5;
  c.kernel_w = 7;
  c.pad_top = 4;
  c.pad_left = 6;
  c.out_h = 6;
  c.out_w = 9;
  cases.push_back(c);
  c = dense_case(1, 100, 30);  // 1x1 with stride 3
  c.in_h = c.in_w = 10;
  c.out_h = c.out_w = 4;
  c.stride = 3;
  cases.push_back(c);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    for (const Isa isa : kIsas) {
      if (missing(isa)) continue;
      SCOPED_TRACE(testing::Message() << "case " << i << " on " << isa_name(isa));
      cases[i].residual = i % 2 == 0;
      cases[i].bias = i % 3 != 1;
      Fixture f(cases[i], i);
      const std::vector<float> out = f.run(isa);
      f.expect_close(out);
      EXPECT_TRUE(same_bits(out, f.run(Isa::kScalar)));
    }
  }
}

// Depths beyond one block, by many channels, many taps, or both: the sums pass through C without a trace.
TEST(IgemmF32, DeepReductionsAreBlockedExactly) {
  std::vector<ConvCase> cases = {dense_case(8, 20, 2049), dense_case(3, 65, 9001), conv3x3_case(3, 20, 700)};
  ConvCase c = conv3x3_case(6, 5, 2);  // 23 x 23 taps
  c.kernel_h = c.kernel_w = 23;
  c.pad_top = c.pad_left = 11;
  cases.push_back(c);
  for (std::size_t i = 0; i < cases.size(); ++i) {
    for (const Isa isa : kIsas) {
      if (missing(isa)) continue;
      SCOPED_TRACE(testing::Message() << "case " << i << " on " << isa_name(isa));
      cases[i].residual = true;
      cases[i].epilogue = {EpilogueKind::kClip, -1, 6};
      Fixture f(cases[i], i);
      const std::vector<float> out = f.run(isa);
      f.expect_close(out);
      EXPECT_TRUE(same_bits(out, f.run(Isa::kScalar)));
    }
  }
}

TEST(IgemmF32, EveryActivation) {
  const Epilogue epilogues[] = {{EpilogueKind::kNone},
                                {EpilogueKind::kClip, 0, 6},
                                {EpilogueKind::kLeakyRelu, 0.1f},
                                {EpilogueKind::kSigmoid},
                                {EpilogueKind::kHardSigmoid, 0.2f, 0.5f},
                                {EpilogueKind::kHardSwish},
                                {EpilogueKind::kSilu},
                                {EpilogueKind::kTanh}};
  for (const Epilogue& epilogue : epilogues) {
    ConvCase c = conv3x3_case(5, 43, 16);
    c.epilogue = epilogue;
    c.residual = true;
    Fixture f(c);
    std::vector<float> wide;
    for (const Isa isa : kIsas) {
      if (missing(isa)) continue;
      SCOPED_TRACE(testing::Message() << "kind " << int(epilogue.kind) << " on " << isa_name(isa));
      const std::vector<float> out = f.run(isa);
      f.expect_close(out);
      if (isa == Isa::kAvx512) wide = out;
      if (isa == Isa::kAvx2 && !wide.empty()) {
        EXPECT_TRUE(same_bits(out, wide));
      }
    }
  }
}

// The bytes of an output do not depend on the range, the part, or the batch it is computed in.
TEST(IgemmF32, BytesDoNotDependOnTheSplit) {
  for (const Isa isa : kIsas) {
    if (missing(isa)) continue;
    ConvCase c = conv3x3_case(13, 150, 12);
    c.epilogue = {EpilogueKind::kSilu};
    c.residual = true;
    Fixture f(c);
    const std::vector<float> whole = f.run(isa);
    IgemmF32 p = f.problem(isa);
    for (const int parts : {1, 2, 3, 4, 7, 16, 200}) {
      std::vector<float> out(whole.size(), std::numeric_limits<float>::quiet_NaN());
      p.c = out.data();
      for (int i = 0; i < parts; ++i) igemm_f32(p, igemm_f32_part(p, parts, i));
      EXPECT_TRUE(same_bits(out, whole)) << parts << " parts on " << isa_name(isa);
    }
    for (const std::int64_t step : {1, 5, 6, 11, 64}) {  // rows at odd places, panels one by one
      std::vector<float> out(whole.size(), std::numeric_limits<float>::quiet_NaN());
      p.c = out.data();
      for (std::int64_t m = 0; m < p.m; m += step)
        for (std::int64_t panel = 0; panel < p.panels.count(); ++panel)
          igemm_f32(p, {m, std::min(m + step, p.m), panel, panel + 1});
      EXPECT_TRUE(same_bits(out, whole)) << "steps of " << step << " on " << isa_name(isa);
    }
  }
}

TEST(IgemmF32, BytesDoNotDependOnTheBatch) {
  for (const Isa isa : kIsas) {
    if (missing(isa)) continue;
    ConvCase c = conv3x3_case(7, 50, 300);
    c.images = 4;
    Fixture f(c);
    const std::vector<float> batch = f.run(isa);
    const std::int64_t image_floats = 7 * 7 * c.n;
    for (std::int64_t image = 0; image < c.images; ++image) {
      IgemmF32 p = f.problem(isa);
      p.a.base += image * p.a.image_stride;
      p.m /= c.images;
      std::vector<float> out(static_cast<std::size_t>(image_floats));
      p.c = out.data();
      igemm_f32(p);
      EXPECT_EQ(std::memcmp(out.data(), batch.data() + image * image_floats, out.size() * sizeof(float)), 0)
          << "image " << image << " on " << isa_name(isa);
    }
  }
}

TEST(IgemmF32, NanAndInfinityReachTheirRowsOnly) {
  for (const Isa isa : kIsas) {
    if (missing(isa)) continue;
    ConvCase c = dense_case(20, 70, 33);
    c.epilogue = {EpilogueKind::kClip, 0, kInf};
    c.bias = false;
    Fixture f(c);
    for (float& w : f.w()) w = std::abs(w) + 0.1f;
    f.x()[3 * 33 + 5] = std::numeric_limits<float>::quiet_NaN();
    f.x()[9 * 33 + 32] = kInf;
    f.x()[11 * 33] = -kInf;
    const std::vector<float> out = f.run(isa);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t m = i / 70;
      if (m == 3) {
        EXPECT_TRUE(std::isnan(out[i]));
      } else if (m == 9) {
        EXPECT_EQ(out[i], kInf);
      } else if (m == 11) {
        EXPECT_EQ(out[i], 0.0f);
      } else {
        EXPECT_TRUE(std::isfinite(out[i]));
      }
    }
  }
}

// A tap in the padding takes no part at all, whatever its weight.
TEST(IgemmF32, PaddingMeetsNoWeight) {
  for (const Isa isa : kIsas) {
    if (missing(isa)) continue;
    ConvCase c = conv3x3_case(6, 20, 4);
    c.bias = false;
    Fixture f(c);
    for (std::int64_t n = 0; n < 20; ++n)
      for (std::int64_t k = 0; k < 4; ++k) f.w()[std::size_t((n * 4 + k) * 9)] = kInf;  // top left tap
    const std::vector<float> out = f.run(isa);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t m = i / 20;
      EXPECT_EQ(std::isfinite(out[i]), m / 6 == 0 || m % 6 == 0) << m;
    }
  }
}

// Output rows inside a wider tensor: what lies between them stays untouched, as it does for grouped convolutions.
TEST(IgemmF32, LeavesTheGapsBetweenRowsAlone) {
  for (const Isa isa : kIsas) {
    if (missing(isa)) continue;
    Fixture f(dense_case(13, 21, 9));
    IgemmF32 p = f.problem(isa);
    constexpr std::int64_t kStride = 40;
    std::vector<float> out(13 * kStride, 123.0f);
    p.c = out.data() + 3;
    p.c_stride = kStride;
    igemm_f32(p);
    const std::vector<float> dense = f.run(isa);
    for (std::size_t i = 0; i < out.size(); ++i) {
      const std::size_t row = i / kStride, column = i % kStride;
      const bool inside = column >= 3 && column < 24;
      EXPECT_EQ(out[i], inside ? dense[row * 21 + column - 3] : 123.0f) << i;
    }
  }
}

TEST(IgemmF32, PanelsCoverAllColumns) {
  for (const Isa isa : kIsas) {
    int unit = 64;
    for (const IgemmKernel& kernel : igemm_f32_kernels())
      if (kernel.isa == isa) unit = std::min(unit, kernel.nr);
    for (std::int64_t n = 1; n <= 400; ++n) {
      const IgemmPanels panels = igemm_f32_panels(isa, n);
      const std::int64_t padded = panels.column(panels.count());
      EXPECT_EQ(padded, (n + unit - 1) / unit * unit) << n;
      ASSERT_NE(panels.wide, nullptr);
      EXPECT_EQ(panels.narrow_count == 0, panels.narrow == nullptr);
      for (std::int64_t p = 0; p < panels.count(); ++p)
        EXPECT_EQ(panels.column(p + 1) - panels.column(p), panels.kernel(p).nr);
    }
  }
}

TEST(IgemmF32, SelectionObeysTheFeatures) {
  CpuFeatures none;
  EXPECT_EQ(select_igemm_f32(none, 100).wide->isa, Isa::kScalar);
  CpuFeatures avx2;
  avx2.avx2 = true;
  EXPECT_EQ(select_igemm_f32(avx2, 100).wide->isa, Isa::kAvx2);
  CpuFeatures avx512 = avx2;
  avx512.avx512 = true;
  EXPECT_EQ(select_igemm_f32(avx512, 100).wide->isa, Isa::kAvx512);
  EXPECT_EQ(select_igemm_f32(avx512, 1).wide->nr, 16);
  EXPECT_EQ(select_igemm_f32(avx512, 128).wide->nr, 64);
  EXPECT_EQ(select_igemm_f32(avx512, 96).wide->nr, 48);
}

TEST(IgemmF32, PartsAreDisjointAndCoverTheProblem) {
  for (const std::int64_t m : {1, 5, 49, 196, 3136}) {
    for (const std::int64_t n : {1, 64, 100, 2048}) {
      IgemmF32 p;
      p.m = m;
      p.k = 64;
      p.a = dense_rows<float>(nullptr, m, 64);
      p.panels = igemm_f32_panels(Isa::kAvx512, n);
      for (int parts = 1; parts <= 12; ++parts) {
        std::vector<int> seen(std::size_t(m * p.panels.count()), 0);
        for (int i = 0; i < parts; ++i) {
          const IgemmRange r = igemm_f32_part(p, parts, i);
          for (std::int64_t row = r.m_begin; row < r.m_end; ++row)
            for (std::int64_t panel = r.panel_begin; panel < r.panel_end; ++panel)
              ++seen[std::size_t(row * p.panels.count() + panel)];
        }
        EXPECT_TRUE(std::all_of(seen.begin(), seen.end(), [](int count) { return count == 1; }))
            << "m " << m << " n " << n << " parts " << parts;
      }
    }
  }
}

TEST(IgemmF32, NoRowsAreNoWork) {
  IgemmF32 p;
  p.k = 4;
  p.a = dense_rows<float>(nullptr, 0, 4);
  p.panels = igemm_f32_panels(Isa::kScalar, 5);
  igemm_f32(p);
  const IgemmRange part = igemm_f32_part(p, 3, 1);
  EXPECT_EQ(part.m_begin, part.m_end);
}

TEST(IgemmF32, PacksOtherWeightOrders) {
  constexpr std::int64_t kK = 21, kN = 37;
  std::vector<float> kn(kK * kN), nk(kK * kN);
  Rng rng(3);
  fill_random(rng, kn.data(), kn.size());
  for (std::int64_t k = 0; k < kK; ++k)
    for (std::int64_t n = 0; n < kN; ++n) nk[std::size_t(n * kK + k)] = kn[std::size_t(k * kN + n)];
  const IgemmPanels panels = igemm_f32_panels(Isa::kAvx2, kN);
  const std::size_t floats = igemm_f32_packed_floats(panels, 1, kK);
  Packed a(floats), b(floats);
  igemm_f32_pack(panels, kn_weights(kn.data(), kN), 1, kK, a.data());
  igemm_f32_pack(panels, oihw_weights(nk.data(), kK, 1, 1), 1, kK, b.data());
  EXPECT_EQ(std::memcmp(a.data(), b.data(), floats * sizeof(float)), 0);
}

// A first layer, a kernel row a tap over a padded image, against the ordinary form over the plain image.
TEST(IgemmF32, KernelRowsAsTapsOverAPaddedImage) {
  ConvCase c;
  c.images = 2;
  c.in_h = c.in_w = 15;
  c.channels = 3;
  c.n = 40;
  c.kernel_h = c.kernel_w = 7;
  c.stride = 2;
  c.pad_top = c.pad_left = 3;
  c.out_h = c.out_w = 8;
  Fixture f(c);
  constexpr std::int64_t kPadded = 21;
  GuardedBuffer<float> padded(2 * kPadded * kPadded * 3);
  for (std::int64_t image = 0; image < 2; ++image)
    for (std::int64_t y = 0; y < 15; ++y)
      std::memcpy(padded.data() + ((image * kPadded + y + 3) * kPadded + 3) * 3,
                  f.x().data() + (image * 15 + y) * 15 * 3, 15 * 3 * sizeof(float));
  for (const Isa isa : kIsas) {
    if (missing(isa)) continue;
    IgemmF32 p = f.problem(isa);
    p.a = padded_image_rows<float>({padded.data(), kPadded, kPadded, 3}, 7, 2, 2, 8, 8);
    p.k = 21;
    Packed packed(igemm_f32_packed_floats(p.panels, 7, 21));
    igemm_f32_pack(p.panels, oihw_row_weights(f.w().data(), 3, 7, 7), 7, 21, packed.data());
    p.b = packed.data();
    std::vector<float> out(std::size_t(p.m * p.panels.n));
    p.c = out.data();
    igemm_f32(p);
    f.expect_close(out);
  }
}

}  // namespace
}  // namespace fovea::kernels
