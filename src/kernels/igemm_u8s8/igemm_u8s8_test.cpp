// Every kernel row against plain arithmetic: geometry, tails, zero points, offsets, extremes, epilogues and shares.
#include "kernels/igemm_u8s8/igemm_u8s8.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/rng.h"
#include "kernels/guarded_buffer.h"
#include "kernels/igemm_u8s8/rows.h"
#include "kernels/vector_math_scalar.h"

namespace fovea::kernels {
namespace {

struct Case {
  std::int64_t images = 1, channels = 8, in_h = 5, in_w = 6, filters = 16, kernel = 1, stride = 1, pad = 0,
               dilation = 1;
  int zero_point = 0;
  bool offsets = false, residual = false, real_result = false;
  std::int32_t common_offset = 0;  // of all columns, where they have none of their own
  Requantise requantise = {};
  int low = 0, high = 255, weight_low = -128, weight_high = 127;  // ranges of the random data

  std::int64_t out_h() const { return (in_h + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1; }
  std::int64_t out_w() const { return (in_w + 2 * pad - dilation * (kernel - 1) - 1) / stride + 1; }
  std::int64_t m() const { return images * out_h() * out_w(); }
};

template <class T>
std::vector<T> random_values(std::int64_t count, int low, int high, std::uint64_t seed) {
  Rng rng(seed);
  std::vector<T> out(static_cast<std::size_t>(count));
  for (T& v : out) v = static_cast<T>(low + static_cast<int>(rng.below(static_cast<std::uint64_t>(high - low + 1))));
  return out;
}

struct Data {
  std::vector<std::uint8_t> x, residual;
  std::vector<std::int8_t> w;
  std::vector<std::int32_t> offset;
  std::vector<float> multiplier, bias;

  explicit Data(const Case& c)
      : x(random_values<std::uint8_t>(c.images * c.in_h * c.in_w * c.channels + 3, c.low, c.high, 1)),
        residual(random_values<std::uint8_t>(c.m() * c.filters, 0, 255, 2)),
        w(random_values<std::int8_t>(c.filters * c.channels * c.kernel * c.kernel, c.weight_low, c.weight_high, 3)),
        offset(random_values<std::int32_t>(c.filters, -127, 128, 4)) {
    Rng rng(5);
    const auto depth = static_cast<float>(c.channels * c.kernel * c.kernel);
    for (std::int64_t i = 0; i < c.filters; ++i) {
      multiplier.push_back(rng.uniform(0.2f, 1.0f) / (40.0f * std::sqrt(depth)));
      bias.push_back(rng.uniform(-50, 200));
    }
  }
};

std::int64_t exact_sum(const Case& c, const Data& d, std::int64_t m, std::int64_t n) {
  const std::int64_t image = m / (c.out_h() * c.out_w()), oy = m / c.out_w() % c.out_h(), ox = m % c.out_w();
  std::int64_t sum = 0;
  for (std::int64_t ky = 0; ky < c.kernel; ++ky)
    for (std::int64_t kx = 0; kx < c.kernel; ++kx) {
      const std::int64_t iy = oy * c.stride + ky * c.dilation - c.pad, ix = ox * c.stride + kx * c.dilation - c.pad;
      if (iy < 0 || iy >= c.in_h || ix < 0 || ix >= c.in_w) continue;
      for (std::int64_t k = 0; k < c.channels; ++k) {
        const int x = d.x[static_cast<std::size_t>(((image * c.in_h + iy) * c.in_w + ix) * c.channels + k)];
        const int w = d.w[static_cast<std::size_t>(((n * c.channels + k) * c.kernel + ky) * c.kernel + kx)];
        sum += (x - c.zero_point) * (w + (c.offsets ? d.offset[static_cast<std::size_t>(n)] : c.common_offset));
      }
    }
  return sum;
}

float expected(const Case& c, const Data& d, std::int64_t m, std::int64_t n) {
  const auto column = static_cast<std::size_t>(n);
  const Requantise& q = c.requantise;
  float v = std::fma(static_cast<float>(exact_sum(c, d, m, n)), d.multiplier[column], d.bias[column]);
  if (q.middle)
    v = std::fma(std::nearbyint(std::min(std::max(v, q.middle_low), q.middle_high)), q.middle_scale, q.middle_bias);
  if (c.residual)
    v = std::fma(static_cast<float>(d.residual[static_cast<std::size_t>(m * c.filters + n)]), q.residual_scale, v);
  if (c.real_result || q.kind > EpilogueKind::kClip) v = apply_epilogue<Scalar>({q.kind, q.a, q.b}, v);
  if (c.real_result) return v;
  if (q.kind > EpilogueKind::kClip) v *= q.inverse_scale;
  return std::min(std::max(std::nearbyint(v) + static_cast<float>(q.zero_point), static_cast<float>(q.low)),
                  static_cast<float>(q.high));
}

struct Packed {
  std::vector<std::int8_t> b;
  std::vector<std::int32_t> sums, offset;
  std::vector<float> multiplier, bias;
};

// Rows of one ISA, and what the CPU must have to run them.
struct Rows {
  const char* name;
  Isa cpu, isa;
  std::span<const IgemmU8Kernel> kernels;
};

void PrintTo(const Rows& rows, std::ostream* out) { *out << rows.name; }

constexpr IgemmU8Kernel kEvexTwins[] = {
    {Isa::kAvxVnni, "igemm_u8s8_6x16_evex", 6, 16, 2, 16, igemm_u8s8_6x16_evex, igemm_u8s8_row_sums_avx2},
    {Isa::kAvxVnni, "igemm_u8s8_10x8_evex", 10, 8, 2, 9, igemm_u8s8_10x8_evex, igemm_u8s8_row_sums_avx2}};

std::vector<Rows> all_rows() {
  std::vector<Rows> rows = {{"avxvnni_by_evex", Isa::kAvx512Vnni, Isa::kAvxVnni, kEvexTwins}};
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512Vnni})
    rows.push_back({isa_name(isa).data(), isa, isa, igemm_u8s8_kernels()});
  return rows;
}

IgemmU8S8 make_problem(const Case& c, const Data& d, const Rows& rows, Packed& packed) {
  IgemmU8S8 p;
  p.m = c.m();
  p.k = c.channels;
  const std::int64_t row = c.in_w * c.channels, taps = c.kernel * c.kernel;
  p.a = {d.x.data(), c.in_h * row, row,      c.channels, c.in_h,     c.in_w,     c.out_h(), c.out_w(),
         c.kernel,   c.kernel,     c.stride, c.stride,   c.dilation, c.dilation, c.pad,     c.pad};
  p.a_zero_point = c.zero_point;
  p.panels = cheapest_panels(rows.kernels, rows.isa, c.filters);
  const auto columns = static_cast<std::size_t>(p.panels.column(p.panels.count()));
  const IgemmU8Weights weights = oihw_weights_s8(d.w.data(), c.channels, c.kernel, c.kernel);
  packed.b.resize(igemm_u8s8_packed_bytes(p.panels, taps, p.k));
  igemm_u8s8_pack(p.panels, weights, taps, p.k, packed.b.data());
  packed.sums.resize(columns * static_cast<std::size_t>(taps));
  const std::vector<std::int32_t> offset =
      c.offsets ? d.offset : std::vector(static_cast<std::size_t>(c.filters), c.common_offset);
  igemm_u8s8_tap_sums(p.panels, weights, taps, p.k, offset.data(), packed.sums.data());
  packed.multiplier.resize(columns);
  packed.bias.resize(columns);
  packed.offset.resize(columns);
  igemm_u8s8_pack_columns(p.panels, d.multiplier.data(), packed.multiplier.data());
  igemm_u8s8_pack_columns(p.panels, d.bias.data(), packed.bias.data());
  igemm_u8s8_pack_columns(p.panels, d.offset.data(), packed.offset.data());
  p.columns = {packed.b.data(),          packed.sums.data(), c.offsets ? packed.offset.data() : nullptr,
               packed.multiplier.data(), packed.bias.data(), c.common_offset};
  if (c.residual) p.residual = d.residual.data();
  p.residual_stride = p.c_stride = c.filters;
  p.requantise = c.requantise;
  return p;
}

class IgemmU8S8Rows : public testing::TestWithParam<Rows> {
 protected:
  void SetUp() override {
    if (!detect_cpu().has(GetParam().cpu)) GTEST_SKIP() << "this CPU lacks " << isa_name(GetParam().cpu);
  }

  // Runs in `parts` shares; guard values around the result must survive.
  void check(const Case& c, int parts = 1) {
    const Data d(c);
    Packed packed;
    IgemmU8S8 p = make_problem(c, d, GetParam(), packed);
    constexpr std::size_t kGuard = 64;
    const auto count = static_cast<std::size_t>(c.m() * c.filters);
    std::vector<std::uint8_t> bytes(count + 2 * kGuard, 0x5a);
    std::vector<float> floats(count + 2 * kGuard, 12345.0f);
    (c.real_result ? (void)(p.c_f32 = floats.data() + kGuard) : (void)(p.c = bytes.data() + kGuard));
    for (int i = 0; i < parts; ++i) igemm_u8s8(p, igemm_u8s8_part(p, parts, i));
    for (std::size_t i = 0; i < count; ++i) {
      const auto m = static_cast<std::int64_t>(i) / c.filters, n = static_cast<std::int64_t>(i) % c.filters;
      const float want = expected(c, d, m, n);
      const float found = c.real_result ? floats[kGuard + i] : static_cast<float>(bytes[kGuard + i]);
      // Beyond clips, vector mathematics may differ from the scalar one in the last bits.
      const float tolerance = c.requantise.kind <= EpilogueKind::kClip ? 0 : c.real_result ? 1e-5f * std::abs(want) : 1;
      ASSERT_NEAR(found, want, tolerance) << "row " << m << " of " << c.m() << ", column " << n << " of " << c.filters;
    }
    for (std::size_t i = 0; i < kGuard; ++i) {
      ASSERT_EQ(bytes[i], 0x5a);
      ASSERT_EQ(bytes[kGuard + count + i], 0x5a);
      ASSERT_EQ(floats[kGuard + count + i], 12345.0f);
    }
  }
};

TEST_P(IgemmU8S8Rows, TileEdges) {
  for (const std::int64_t filters : {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 96, 100, 129})
    for (const std::int64_t rows : {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 19, 23}) {
      Case c;
      c.channels = 12, c.in_h = 1, c.in_w = rows, c.filters = filters, c.zero_point = 3;
      check(c);
      if (HasFatalFailure()) return;
    }
}

TEST_P(IgemmU8S8Rows, Depths) {
  for (const std::int64_t channels : {1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 300})
    for (const std::int32_t common_offset : {0, -127, 128}) {
      Case c;
      c.channels = channels, c.filters = 50, c.zero_point = 128, c.common_offset = common_offset;
      check(c);
      c.offsets = true;
      check(c);
    }
}

TEST_P(IgemmU8S8Rows, RowSumsReadNothingBehindARow) {
  for (const std::int64_t k : {1, 3, 9, 15, 16, 17, 24, 31, 32, 33, 63, 64, 65, 127, 128, 130})
    for (const std::int64_t rows : {1, 2, 3, 4, 5, 8, 9})
      for (const std::int64_t taps : {1, 3}) {
        GuardedBuffer<std::uint8_t> x(static_cast<std::size_t>(k * rows * taps));
        Rng rng(1);
        for (std::int64_t i = 0; i < k * rows * taps; ++i) x.data()[i] = static_cast<std::uint8_t>(rng.below(256));
        std::vector<std::int64_t> offsets;
        std::vector<std::int32_t> want(static_cast<std::size_t>(rows)), found(static_cast<std::size_t>(rows + 1), -1);
        for (std::int64_t i = 0; i < rows * taps; ++i) {
          offsets.push_back(i * k);
          for (std::int64_t j = 0; j < k; ++j) want[static_cast<std::size_t>(i % rows)] += x.data()[i * k + j];
        }
        IgemmU8Run run{};
        run.a = x.data(), run.a_offsets = offsets.data(), run.a_tap_stride = run.m = rows, run.taps = taps;
        cheapest_panels(GetParam().kernels, GetParam().isa, 8).wide->row_sums(run, k, found.data());
        EXPECT_EQ(found.back(), -1);
        found.pop_back();
        EXPECT_EQ(found, want) << "k " << k << ", rows " << rows << ", taps " << taps;
      }
}

TEST_P(IgemmU8S8Rows, Convolutions) {
  for (const std::int64_t kernel : {1, 2, 3, 5, 7})
    for (const std::int64_t stride : {1, 2})
      for (const std::int64_t pad : {0, 1, 3})
        for (const int zero_point : {0, 128, 255}) {
          Case c;
          c.images = 2, c.in_h = 7, c.in_w = 9, c.filters = 20, c.kernel = kernel, c.stride = stride, c.pad = pad;
          c.zero_point = zero_point;
          c.offsets = zero_point == 128;
          check(c);
        }
  Case dilated;
  dilated.in_h = dilated.in_w = 9, dilated.kernel = 3, dilated.dilation = 2, dilated.pad = 2, dilated.zero_point = 9;
  check(dilated);
}

TEST_P(IgemmU8S8Rows, ExtremesDoNotSaturate) {
  for (const int x : {0, 255})
    for (const int w : {-128, 127})
      for (const int zero_point : {0, 255}) {
        Case c;
        c.channels = 512, c.kernel = 3, c.pad = 1, c.filters = 70, c.zero_point = zero_point;
        c.low = c.high = x, c.weight_low = c.weight_high = w;
        c.real_result = true;
        check(c);
        c.real_result = false;
        check(c);
      }
}

TEST_P(IgemmU8S8Rows, HugeResultsSaturate) {
  const std::vector<std::uint8_t> x(8, 255);
  for (const float sign : {1.0f, -1.0f}) {
    Case c;
    c.in_h = 1, c.in_w = 1, c.weight_low = c.weight_high = 127, c.low = c.high = 255;
    Data d(c);
    for (float& v : d.multiplier) v = sign * 1e30f;
    Packed packed;
    IgemmU8S8 p = make_problem(c, d, GetParam(), packed);
    std::vector<std::uint8_t> out(16, 1);
    p.c = out.data();
    igemm_u8s8(p);
    for (const std::uint8_t v : out) EXPECT_EQ(v, sign > 0 ? 255 : 0);
  }
}

TEST_P(IgemmU8S8Rows, EpiloguesAndResiduals) {
  using enum EpilogueKind;
  for (const EpilogueKind kind : {kNone, kClip, kLeakyRelu, kSigmoid, kHardSigmoid, kHardSwish, kSilu, kTanh})
    for (const std::int64_t filters : {8, 16, 24, 40, 48, 64, 80, 112})
      for (const bool real : {false, true}) {
        Case c;
        c.filters = filters, c.residual = filters % 16 != 0, c.real_result = real, c.offsets = filters == 64;
        c.requantise = {.kind = kind, .a = 0.1f, .b = 0.5f, .inverse_scale = 0.7f, .residual_scale = 0.3f};
        c.requantise.zero_point = 17, c.requantise.low = 20, c.requantise.high = 230;
        if (filters % 3 == 0) {
          c.requantise.middle = true;
          c.requantise.middle_low = -60, c.requantise.middle_high = 195;
          c.requantise.middle_scale = 0.8f, c.requantise.middle_bias = -11;
        }
        if (real && kind == kClip) c.requantise = {kClip, 0, 60};
        check(c);
      }
}

TEST_P(IgemmU8S8Rows, SharesCoverTheProblem) {
  for (const int parts : {2, 3, 5})
    for (const std::int64_t size : {1, 3, 7, 14}) {
      Case c;
      c.in_h = c.in_w = size, c.kernel = 3, c.pad = 1, c.filters = 130, c.zero_point = 7, c.offsets = true;
      check(c, parts);
    }
}

INSTANTIATE_TEST_SUITE_P(Isas, IgemmU8S8Rows, testing::ValuesIn(all_rows()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(IgemmU8S8, PanelsCoverAllColumns) {
  for (const Isa isa : {Isa::kScalar, Isa::kAvx2, Isa::kAvxVnni, Isa::kAvx512Vnni}) {
    for (std::int64_t n = 1; n <= 400; ++n) {
      const IgemmU8Panels panels = igemm_u8s8_panels(isa, n);
      ASSERT_NE(panels.wide, nullptr);
      EXPECT_EQ(panels.narrow_count == 0, panels.narrow == nullptr);
      EXPECT_GE(panels.column(panels.count()), n);
      EXPECT_LT(panels.column(panels.count() - 1), n) << "a panel of padding alone";
      for (std::int64_t p = 0; p < panels.count(); ++p)
        EXPECT_EQ(panels.column(p + 1) - panels.column(p), panels.kernel(p).nr);
    }
  }
}

TEST(IgemmU8S8, PanelsAreTheCheapest) {
  struct Row {
    std::int64_t n;
    int wide, narrow;
    std::int64_t wide_count, narrow_count;
  };
  for (const Row& r : {Row{16, 16, 0, 1, 0}, Row{24, 32, 0, 1, 0}, Row{40, 48, 0, 1, 0}, Row{96, 64, 32, 1, 1},
                       Row{144, 64, 16, 2, 1}, Row{192, 64, 0, 3, 0}, Row{1001, 64, 48, 15, 1}}) {
    const IgemmU8Panels panels = igemm_u8s8_panels(Isa::kAvx512Vnni, r.n);
    EXPECT_EQ(panels.wide->nr, r.wide) << r.n;
    EXPECT_EQ(panels.narrow ? panels.narrow->nr : 0, r.narrow) << r.n;
    EXPECT_EQ(panels.wide_count, r.wide_count) << r.n;
    EXPECT_EQ(panels.narrow_count, r.narrow_count) << r.n;
  }
}

}  // namespace
}  // namespace fovea::kernels
