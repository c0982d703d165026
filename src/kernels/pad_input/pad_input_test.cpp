#include "kernels/pad_input/pad_input.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "base/rng.h"
#include "kernels/guarded_buffer.h"

namespace fovea::kernels {
namespace {

struct Case {
  PadGeometry g;
  const char* what;
};

const Case kCases[] = {
    {{3, 5, 7, 2, 3, 9, 13}, "padding on every side"},
    {{3, 4, 16, 0, 0, 4, 16}, "no padding"},
    {{1, 6, 33, 1, 0, 6, 34}, "one channel"},
    {{4, 3, 11, 0, 1, 5, 8}, "padded image narrower than the input"},
    {{16, 2, 3, 1, 1, 4, 5}, "the most channels taken by rows"},
    {{19, 2, 3, 1, 1, 4, 5}, "pixel by pixel"},
    {{3, 1, 1, 0, 0, 1, 1}, "one pixel"},
    {{2, 3, 3, 5, 6, 4, 5}, "nothing but padding"},
};

std::size_t padded_floats(const PadGeometry& g) {
  return static_cast<std::size_t>(g.padded_h * g.padded_w * g.channels);
}

// The source index (NHWC) of a padded element, or -1 in the padding.
std::int64_t source_index(const PadGeometry& g, std::int64_t i) {
  const std::int64_t c = i % g.channels, x = i / g.channels % g.padded_w - g.pad_left,
                     y = i / g.channels / g.padded_w - g.pad_top;
  if (x < 0 || x >= g.in_w || y < 0 || y >= g.in_h) return -1;
  return (y * g.in_w + x) * g.channels + c;
}

TEST(PadInput, NormalizesBytes) {
  Rng rng(1);
  for (const Case& test : kCases) {
    const PadGeometry& g = test.g;
    GuardedBuffer<std::uint8_t> src(static_cast<std::size_t>(g.in_h * g.in_w * g.channels));
    for (std::uint8_t& x : src) x = static_cast<std::uint8_t>(rng.below(256));
    GuardedBuffer<float> mean(static_cast<std::size_t>(g.channels)), scale(static_cast<std::size_t>(g.channels));
    for (float& x : mean) x = rng.uniform(0, 255);
    for (float& x : scale) x = rng.uniform(0.001f, 0.1f);
    for (const NormalizeKernel& kernel : pad_input_kernels()) {
      if (!detect_cpu().has(kernel.isa)) continue;
      SCOPED_TRACE(testing::Message() << test.what << ", " << kernel.name);
      GuardedBuffer<float> dst(padded_floats(g));
      std::fill(dst.begin(), dst.end(), std::numeric_limits<float>::quiet_NaN());
      for (std::int64_t y = 0; y < g.padded_h; ++y)  // by single rows, as threads may
        pad_normalize_u8_f32(kernel, g, {mean.data(), scale.data()}, src.data(), dst.data(), y, y + 1);
      for (std::size_t i = 0; i < dst.size(); ++i) {
        const std::int64_t from = source_index(g, static_cast<std::int64_t>(i));
        const std::size_t c = i % static_cast<std::size_t>(g.channels);
        const float centred = from < 0 ? 0 : static_cast<float>(src[static_cast<std::size_t>(from)]) - mean[c];
        EXPECT_EQ(dst[i], from < 0 ? 0.0f : centred * scale[c]) << i;
      }
    }
  }
}

TEST(PadInput, CopiesFloatsOfBothOrders) {
  Rng rng(2);
  for (const Case& test : kCases) {
    SCOPED_TRACE(test.what);
    const PadGeometry& g = test.g;
    const std::size_t floats = static_cast<std::size_t>(g.in_h * g.in_w * g.channels);
    GuardedBuffer<float> nhwc(floats), nchw(floats), from_nhwc(padded_floats(g)), from_nchw(padded_floats(g));
    for (std::int64_t p = 0; p < g.in_h * g.in_w; ++p)
      for (std::int64_t c = 0; c < g.channels; ++c)
        nhwc[static_cast<std::size_t>(p * g.channels + c)] = nchw[static_cast<std::size_t>(c * g.in_h * g.in_w + p)] =
            rng.uniform();
    pad_copy_f32(g, SourceStrides::nhwc(g), nhwc.data(), from_nhwc.data(), 0, g.padded_h);
    pad_copy_f32(g, SourceStrides::nchw(g), nchw.data(), from_nchw.data(), 0, g.padded_h);
    for (std::size_t i = 0; i < from_nhwc.size(); ++i) {
      const std::int64_t from = source_index(g, static_cast<std::int64_t>(i));
      const float expected = from < 0 ? 0.0f : nhwc[static_cast<std::size_t>(from)];
      EXPECT_EQ(from_nhwc[i], expected) << i;
      EXPECT_EQ(from_nchw[i], expected) << i;
    }
  }
}

TEST(PadInput, SelectionObeysTheFeatures) {
  CpuFeatures cpu;
  EXPECT_EQ(select_pad_input(cpu).isa, Isa::kScalar);
  cpu.avx2 = true;
  EXPECT_EQ(select_pad_input(cpu).isa, Isa::kAvx2);
  cpu.avx512 = true;
  EXPECT_EQ(select_pad_input(cpu).isa, Isa::kAvx512);
}

}  // namespace
}  // namespace fovea::kernels
